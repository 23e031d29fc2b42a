"""A real SMTP server for the tests: python3 relay.py <tls: none|starttls|implicit> <login: yes|no> [cert key].

Prints its port, then one JSON object for each mail it takes. Recipients decide: refused@ gets 550, busy@ 451,
unlucky@ 554 after the content, slow@ no answer.
"""
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        user = address.split("@")[0]
        if user == "refused":
            return f"550 5.1.1 <{address}>: no such mailbox"
        if user == "busy":
            return f"451 4.3.0 <{address}>: try again later"
        if user == "slow":
            await asyncio.sleep(3600)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("unlucky@"):
            return "554 5.7.1 looks like spam"
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "user": session.auth_data,
            "content": envelope.content.decode(),
        }
        print(json.dumps(mail), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (b"mailer", b"s3cret relay")
    return AuthResult(success=right, auth_data=data.login.decode()) if right else AuthResult(success=False, handled=False)


async def main(tls, login, *certificate):
    context = None
    if tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    upgrade = {"tls_context": context, "require_starttls": True} if tls == "starttls" else {}

    def serve():
        return SMTP(
            Handler(),
            hostname="relay.test",
            enable_SMTPUTF8=True,
            authenticator=authenticate,
            auth_required=login == "yes",
            auth_require_tls=tls == "starttls",
            **upgrade,
        )

    server = await asyncio.get_running_loop().create_server(
        serve, "127.0.0.1", 0, ssl=context if tls == "implicit" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    # The test holds the other end: when it goes, so does the server.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
