"""Cut what a client may have made as long as it liked, before it waits for the access log."""

from trailbase_server.web.log_entry import HOST, REFERER, URL, USER_AGENT, LogEntry, LogFields

# Of url, referer and user agent each; together they bound the memory of a queue.
MAX_TEXT_CHARS = 2_048
MAX_HOST_BYTES = 255  # a longer name is none


def shorten(entry: LogEntry) -> LogEntry:
    """Cut the texts of an entry, if they may be longer than what is kept of them."""
    size = len(entry[URL]) + len(entry[REFERER]) + len(entry[USER_AGENT]) + len(entry[HOST])
    if size <= MAX_TEXT_CHARS:
        return entry
    fields = LogFields(*entry)
    return (
        *fields[:URL],
        fields.url[:MAX_TEXT_CHARS],
        *fields[URL + 1 : REFERER],
        fields.referer[:MAX_TEXT_CHARS],
        fields.user_agent[:MAX_TEXT_CHARS],
        *fields[USER_AGENT + 1 : HOST],
        fields.host[:MAX_HOST_BYTES],
        *fields[HOST + 1 :],
    )
