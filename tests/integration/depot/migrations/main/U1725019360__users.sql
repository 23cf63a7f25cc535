-- A version before U1785764695: this file must see the column "verified".
INSERT INTO _user (id, email, password_hash, verified, admin) VALUES
  (uuid_v4(), 'admin@localhost', hash_password('secret'), TRUE, TRUE);
INSERT INTO _user (email, password_hash, verified) VALUES
  ('0@localhost', hash_password('secret'), TRUE),
  ('1@localhost', hash_password('secret'), FALSE),
  ('2@localhost', hash_password('secret'), TRUE),
  ('alice@trailbase.io', hash_password('secret'), TRUE);
UPDATE _user SET totp_secret = 'YCUTAYEZ346ZUEI7FLCG57BOMZQHHRA5' WHERE email = 'alice@trailbase.io';
UPDATE _user SET username = 'admin' WHERE email = 'admin@localhost';
