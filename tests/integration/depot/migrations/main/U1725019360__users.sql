-- A version before U1785764695: this file must see the column "verified".
INSERT INTO _user (id, email, password_hash, verified, admin) VALUES
  (uuid_v4(), 'admin@localhost', hash_password('secret'), TRUE, TRUE);
INSERT INTO _user (email, password_hash, verified) VALUES
  ('0@localhost', hash_password('secret'), TRUE),
  ('1@localhost', hash_password('secret'), FALSE);
UPDATE _user SET username = 'admin' WHERE email = 'admin@localhost';
