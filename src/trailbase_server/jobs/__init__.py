"""
Jobs: work that is done at certain times, by hand too, one run at a time.

``job`` (what there is to do, and what became of it), ``moments`` (the next time of a schedule),
``scheduler`` (when it is done), ``history`` (what is remembered across restarts), ``locks`` (one
run at a time on the whole machine). Which jobs there are is said in ``server/jobs``. Spec:
server/jobs.
"""
