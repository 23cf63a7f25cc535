"""What pages are made from, and when."""

import logging


async def test_it_is_made_by_the_first_visit_and_kept(state):
    first = await state.pages.current()
    assert await state.pages.current() is first


async def test_files_of_a_depot_are_read_with_the_configuration(state, tmp_path, caplog):
    directory = tmp_path / "templates" / "auth"
    directory.mkdir(parents=True)
    state.pages.depot = tmp_path
    await state.pages.reload()
    first = await state.pages.current()
    (directory / "error.html").write_text("{% if %}")
    (directory / "texts.toml").write_text("x = 1")
    (directory / "static").mkdir()
    (directory / "static" / "x.exe").write_text("")
    assert await state.pages.current() is first
    assert caplog.text == ""
    await state.pages.reload()
    errors = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 3
    assert all(message.endswith("; using what is built in") for message in errors)
    assert await state.pages.current() is not first


async def test_without_pages_nothing_is_read(state, tmp_path, caplog):
    (tmp_path / "templates" / "auth").mkdir(parents=True)
    (tmp_path / "templates" / "auth" / "error.html").write_text("{% if %}")
    state.pages.depot, state.pages.is_enabled = tmp_path, False
    await state.pages.reload()
    assert caplog.text == ""
