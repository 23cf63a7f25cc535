"""
One order: account, challenges, certificate. Blocks for as long as the authority takes.

Imported when a certificate is due: the library is an extra, and takes a while to load.
"""

from contextlib import ExitStack
from datetime import datetime

import requests
from acme import challenges as acme_challenges
from acme import errors, messages
from acme.client import ClientNetwork, ClientV2
from acme.crypto_util import make_csr
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from trailbase_server import __version__
from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.files import OWNER_ONLY, replace_file
from trailbase_server.server.acme.challenges import Challenges
from trailbase_server.server.acme.errors import IssuanceError, UnreachableError
from trailbase_server.server.acme.settings import AcmeSettings

REQUEST_S = 20  # for one answer of the authority
ORDER_S = 180  # for it to look at all hosts and to sign
PASSING = ("badNonce", "serverInternal")  # refusals that mean nothing against us


def obtain_certificate(settings: AcmeSettings, challenges: Challenges) -> bytes:
    """
    Get a certificate.

    Args:
        settings: From whom, for what.
        challenges: Answered over HTTP meanwhile.

    Returns:
        PEM: a new key, the certificate, the intermediate ones.

    Raises:
        UnreachableError: The authority does not answer.
        IssuanceError: It refuses.
    """
    try:
        return _obtain(settings, challenges)
    except errors.ValidationError as exc:
        raise IssuanceError(_explain(exc)) from exc
    except messages.Error as exc:
        kind = UnreachableError if exc.code in PASSING else IssuanceError
        raise kind(exc.detail or str(exc)) from exc
    except errors.TimeoutError as exc:
        raise IssuanceError(f"no decision within {ORDER_S} s") from exc
    except (requests.exceptions.RequestException, errors.ClientError) as exc:
        raise UnreachableError(f"{settings.directory} does not answer: {_reason(exc)}") from exc
    except (errors.Error, JoseError, ValueError) as exc:
        raise IssuanceError(f"unexpected answer: {exc}") from exc


def _obtain(settings: AcmeSettings, challenges: Challenges) -> bytes:
    key = JWKEC(key=_account_key(settings))
    client = _connect(settings, key)
    own_key = _new_key()
    order = client.new_order(make_csr(own_key, list(settings.domains)))
    with ExitStack() as stack:
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue  # seen lately
            body = _choose(authorization)
            response, answer = body.response_and_validation(key)
            challenges.offer(body.chall.path, answer)
            stack.callback(challenges.withdraw, body.chall.path)
            client.answer_challenge(body, response)
        # The library compares with local time.
        deadline = datetime.fromtimestamp(SYSTEM_CLOCK.now() + ORDER_S)  # noqa: DTZ006
        order = client.poll_and_finalize(order, deadline)
    return own_key + order.fullchain_pem.encode()


def _connect(settings: AcmeSettings, key: JWKEC) -> ClientV2:
    """Log in, with a new account if the authority does not know the key."""
    network = ClientNetwork(
        key,
        alg=ES256,
        # A path is what the library underneath takes too.
        verify_ssl=str(settings.ca_file) if settings.ca_file else True,  # type: ignore[arg-type]
        user_agent=f"trailbase-server/{__version__}",
        timeout=REQUEST_S,
    )
    client = ClientV2(ClientV2.get_directory(settings.directory, network), network)
    if client.external_account_required():
        raise IssuanceError("the authority wants accounts that were made elsewhere")
    wish = messages.NewRegistration.from_data(email=settings.email, terms_of_service_agreed=True)
    try:
        client.new_account(wish)
    except errors.ConflictError as exc:
        network.account = messages.RegistrationResource(uri=exc.location, body=wish)
    return client


def _account_key(settings: AcmeSettings) -> ec.EllipticCurvePrivateKey:
    path = settings.account
    try:
        if not path.exists():
            replace_file(path, _new_key(), OWNER_ONLY)
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as exc:
        raise IssuanceError(f'cannot use the account\'s key "{path}": {exc}') from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IssuanceError(f'cannot use the account\'s key "{path}": it is none of ours')
    return key


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _choose(authorization: messages.AuthorizationResource) -> messages.ChallengeBody:
    for body in authorization.body.challenges:
        if isinstance(body.chall, acme_challenges.HTTP01):
            chosen: messages.ChallengeBody = body
            return chosen
    name = authorization.body.identifier.value
    raise IssuanceError(f"the authority does not look at {name} over HTTP")


def _explain(error: errors.ValidationError) -> str:
    """What the authority has to say of each host."""
    return "; ".join(
        f"{authorization.body.identifier.value}: {body.error.detail}"
        for authorization in error.failed_authzrs
        for body in authorization.body.challenges
        if body.error is not None
    )


def _reason(error: Exception) -> str:
    """The innermost cause: the outer ones repeat it in a long line."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__
