"""
What is left of a picture that somebody uploads: its pixels, and nothing about where, when and with
what it was taken.

Pictures are not decoded: that would cost memory and time, lose quality, and trust a decoder with
hostile bytes. PNG and JPEG are lists of named parts, so parts are dropped.

In reading order:

- ``pieces``: what is kept of a file, and the bounds of a picture
- ``exif``: the one thing of a photograph's description that is part of how it looks
- ``png``, ``jpeg``: which parts are kept
- ``strip``: files and bytes in, files and bytes out; ``auth.avatar`` calls it

Spec: auth/avatars
"""
