from trailbase_server.server.acme.challenges import MAX_WAITING, PREFIX, Challenges


def test_an_answer_is_there_from_offer_to_withdrawal():
    challenges = Challenges()
    challenges.offer(PREFIX + "a", "a.x")
    assert challenges.answer(PREFIX + "a") == "a.x"
    assert challenges.answer(PREFIX + "b") is None
    challenges.withdraw(PREFIX + "a")
    challenges.withdraw(PREFIX + "a")
    assert challenges.answer(PREFIX + "a") is None


def test_the_oldest_make_room():
    challenges = Challenges()
    for number in range(MAX_WAITING + 1):
        challenges.offer(f"{PREFIX}{number}", "x")
    assert challenges.answer(f"{PREFIX}0") is None
    assert challenges.answer(f"{PREFIX}{MAX_WAITING}") == "x"
