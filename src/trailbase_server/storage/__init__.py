"""
Where the contents of files live, and what keeps them and the rows that refer to them together.

Read in this order: ``base`` (what a store promises, and its errors), ``local`` (a file per object
below ``uploads/``), ``s3`` (any bucket that speaks S3), ``open`` (which of the two a configuration
means); ``metadata`` (what a row says about its files), ``deletions`` (the journal of uploads and
deletions, and the job that works it off), ``triggers`` (what fills it); ``download`` (an object as
an answer).

Keys are UUIDs in lower case; what they belong to stands in the rows, and is nothing that a store
knows. Whoever stores files does as ``records.uploads`` does: announce, put, take within the write.
Spec: server/object-store, records/files.
"""
