"""
Where the contents of files live: a directory of the depot, or a bucket.

``base`` (what a store promises, and its errors), ``local`` (a file per object below ``uploads/``),
``s3`` (an object per object in any S3-compatible bucket), ``open`` (which of the two a
configuration means). Keys are UUIDs in lower case; what they belong to is written in the rows that
refer to them, and is nothing that a store knows. Spec: server/object-store.
"""
