-- Settings of components, one set each.
CREATE TABLE _wasm_shared_preferences (
  component  TEXT NOT NULL,
  value      TEXT CHECK (jsonschema('std.KeyValue', value))
) STRICT;

CREATE UNIQUE INDEX __wasm_shared_preferences__component
  ON _wasm_shared_preferences (component);
