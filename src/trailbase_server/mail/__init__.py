"""
Mails to users: made from templates, kept until a mail server has taken them.

``templates`` (a small part of Jinja), ``letters`` (the mails that accounts need: texts and links),
``plain_text`` (HTML as text), ``message`` (one mail as bytes), ``transport`` (the ways out, and
which of them a configuration means) with ``smtp``, ``sendmail`` and ``nowhere``, ``outbox`` (mails
on disk), ``delivery`` (the worker that sends them), ``settings`` (a configuration, compiled),
``mailer`` (where the rest of the program enters). Spec: server/e-mail, auth/e-mail.
"""
