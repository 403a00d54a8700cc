import "reflect-metadata";
import { webcrypto } from "node:crypto";
import tls from "node:tls";
import * as x509 from "@peculiar/x509";

/** A certificate of an authority made for the test, and the authority to trust. */
export interface TestCertificate {
  authority: string;
  cert: string;
  key: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;

function newKeys() {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

async function pem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key as webcrypto.CryptoKey));
  const label = "PRIVATE KEY";
  return `-----BEGIN ${label}-----\n${
    der.toString("base64").replace(/(.{64})/g, "$1\n")
  }\n-----END ${label}-----\n`;
}

function alternativeName(name: string): { type: "dns" | "ip"; value: string } {
  return { type: /^[\d.]+$|:/.test(name) ? "ip" : "dns", value: name };
}

/**
 * An authority and a server certificate under it for the names. Two certificates, because the TLS of Deno
 * refuses an authority presented as a server. `expired` ends its time an hour ago.
 */
export async function makeCertificate(names: string[], { expired = false } = {}): Promise<TestCertificate> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const [caKeys, keys] = [await newKeys(), await newKeys()];
  const notBefore = new Date(Date.now() - 2 * day);
  const notAfter = new Date(Date.now() + day);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=Mailpipe Test Authority",
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    keys: caKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: "02",
    subject: `CN=${names[0]}`,
    issuer: ca.subject,
    notBefore,
    notAfter: expired ? new Date(Date.now() - 3_600_000) : notAfter,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.SubjectAlternativeNameExtension(names.map(alternativeName)),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  return { authority: ca.toString("pem"), cert: leaf.toString("pem"), key: await pem(keys.privateKey) };
}

/**
 * Makes this Node process trust an authority, as NODE_EXTRA_CA_CERTS would have at its start, and returns the
 * undoing. Every TLS client of Node asks `tls.createSecureContext`.
 */
export function trust(authority: string): () => void {
  const original = tls.createSecureContext;
  tls.createSecureContext = (options) =>
    original({ ...options, ca: options?.ca ?? [...tls.rootCertificates, authority] });
  return () => {
    tls.createSecureContext = original;
  };
}
