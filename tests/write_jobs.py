"""Write jobs of the tests: module-level functions with plain arguments, like the server's."""

from trailbase_server.db.base import single_statement

ENDLESS = (
    "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < {}) "
    "SELECT COUNT(*) FROM n"
)


@single_statement
def insert_word(tx, word):
    return tx.read("INSERT INTO item (word) VALUES (?1) RETURNING id", (word,))[0][0]


def insert_two(tx, first, second):
    tx.run("INSERT INTO item (word) VALUES (?1)", (first,))
    return tx.run("INSERT INTO item (word) VALUES (?1)", (second,))


def insert_slowly(tx, word, steps=200_000):
    tx.run("INSERT INTO item (word) VALUES (?1)", (word,))
    return tx.read(ENDLESS.format(steps))[0][0]


def insert_child(tx, item):
    tx.run("INSERT INTO child (item) VALUES (?1)", (item,))


def insert_or_roll_back(tx, word):
    tx.run("INSERT OR ROLLBACK INTO item (word) VALUES (?1)", (word,))


def delete_all(tx):
    return tx.run("DELETE FROM item")


def fail(tx):
    tx.run("INSERT INTO item (word) VALUES ('never seen')")
    raise KeyError("a bug in a job")


def words_of(database):
    return [word for (word,) in database.read("SELECT word FROM item ORDER BY id")]
