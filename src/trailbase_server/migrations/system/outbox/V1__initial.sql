-- Mails on their way. One is "waiting" until a mail server has taken it or it was given up; then its content, which
-- holds links and codes, is dropped at once, and the rest of the row stays for a while to count and to report.
CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY,
  letter     TEXT NOT NULL,
  sender     TEXT NOT NULL,
  recipient  TEXT NOT NULL COLLATE NOCASE,
  content    BLOB,
  state      TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
  created    INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  due        INTEGER NOT NULL,
  finished   INTEGER,
  error      TEXT,
  CHECK ((state = 'waiting') = (content IS NOT NULL)),
  CHECK ((state = 'waiting') = (finished IS NULL))
) STRICT;

CREATE INDEX outbox_due ON outbox (due) WHERE state = 'waiting';
CREATE INDEX outbox_recipient ON outbox (recipient, created);
CREATE INDEX outbox_finished ON outbox (finished) WHERE finished IS NOT NULL;
