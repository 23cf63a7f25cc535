"""Arbitrary messages of any type, for property tests."""

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: TEXT,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, (1 << 32) - 1),
}


def scalars(field):
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    return SCALARS[field.cpp_type]


@st.composite
def messages(draw, into):
    message = into()
    fill(draw, message)
    return message


def fill(draw, message):
    for field in message.DESCRIPTOR.fields:
        if not draw(st.booleans()):
            continue
        if field.message_type is None:
            if field.is_repeated:
                values = draw(st.lists(scalars(field), max_size=3))
                getattr(message, field.name).extend(values)
            else:
                setattr(message, field.name, draw(scalars(field)))
        elif field.message_type.GetOptions().map_entry:
            fill_map(draw, field, getattr(message, field.name))
        elif field.is_repeated:
            for _ in range(draw(st.integers(0, 2))):
                fill(draw, getattr(message, field.name).add())
        else:
            getattr(message, field.name).SetInParent()
            fill(draw, getattr(message, field.name))


def fill_map(draw, field, values):
    value_field = field.message_type.fields_by_name["value"]
    for key in draw(st.lists(TEXT, max_size=3, unique=True)):
        if value_field.message_type is None:
            values[key] = draw(scalars(value_field))
        else:
            fill(draw, values[key])
