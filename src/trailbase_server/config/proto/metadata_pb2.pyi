from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Metadata(_message.Message):
    __slots__ = ("last_executed_version",)
    LAST_EXECUTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    last_executed_version: str
    def __init__(self, last_executed_version: _Optional[str] = ...) -> None: ...
