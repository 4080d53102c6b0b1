"""The certificate of a run's own processes: made for the run, held in memory, and good whatever the clock says."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed.security import Security

_NAME = "captchas-run"
# It ends with the run. A certificate that began now would be refused by workers that start after the clock is set back.
_FROM, _UNTIL = datetime(1970, 1, 1), datetime(9999, 12, 31)


def temporary_security() -> Security:
    """Return what Dask needs for TLS in both directions, with a new key that only the processes of this run get.

    As `Security.temporary`, but for the dates, and for a key on a curve, which is made a hundred times as fast.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    roles = ("client", "scheduler", "worker")
    pairs = {f"tls_{role}_key": private for role in roles} | {f"tls_{role}_cert": public for role in roles}
    return Security(require_encryption=True, tls_ca_file=public, **pairs)
