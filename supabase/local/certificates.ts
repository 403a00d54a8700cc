// tsyringe, which @peculiar/x509 is built on, refuses to load without a metadata polyfill.
import "reflect-metadata";
import { join } from "node:path";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { readIfPresent, writePrivateFile } from "./private-file.ts";

/** What a TLS server of the stack presents, and where the authority lies that its clients must trust. */
export interface Certificates {
  /** PEM file of the authority, for `DENO_CERT` or `NODE_EXTRA_CA_CERTS`. */
  caFile: string;
  ca: string;
  /** The leaf's certificate and private key in one PEM text, as node:tls takes it for both. */
  leaf: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 24 * 60 * 60 * 1000;
/** Two years: long enough to be forgotten, short enough for every client's rule about leaf certificates. */
const LIFETIME = 730 * DAY;
/** A leaf this near its end is replaced, so that a stack started today still serves next week. */
const MARGIN = 7 * DAY;

/**
 * The certificate authority and the leaf for localhost, 127.0.0.1 and ::1, kept in `folder` and reused while
 * the leaf is valid for another week after `now`. They are two certificates because rustls, and so Deno,
 * refuses an authority that is presented as a leaf. The authority's private key is never stored.
 */
export async function ensureCertificates(folder: string, now: Date): Promise<Certificates> {
  const files = { ca: join(folder, "ca.pem"), leaf: join(folder, "leaf.pem") };
  const [ca, leaf] = await Promise.all([readIfPresent(files.ca), readIfPresent(files.leaf)]);
  if (ca && leaf && await isUsable(ca, leaf, now)) return { caFile: files.ca, ca, leaf };
  const made = await makeCertificates(now);
  // A crash between the two leaves a leaf that the new authority did not sign, which isUsable refuses.
  await writePrivateFile(files.ca, made.ca);
  await writePrivateFile(files.leaf, made.leaf);
  return { caFile: files.ca, ...made };
}

async function isUsable(ca: string, leaf: string, now: Date): Promise<boolean> {
  const [authority, presented] = [new X509Certificate(ca), new X509Certificate(leaf)];
  if (presented.notAfter.getTime() - MARGIN < now.getTime()) return false;
  return await presented.verify({ publicKey: authority, date: now });
}

async function makeCertificates(now: Date): Promise<{ ca: string; leaf: string }> {
  const [authorityKeys, leafKeys] = await Promise.all([generateKeys(), generateKeys()]);
  const authority = await makeAuthority(authorityKeys, now);
  const leaf = await makeLeaf(authority, authorityKeys.privateKey, leafKeys.publicKey, now);
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", leafKeys.privateKey), "PRIVATE KEY");
  return { ca: authority.toString("pem"), leaf: `${leaf.toString("pem")}\n${key}\n` };
}

function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

function period(now: Date) {
  // A day back, for clients whose clock is behind ours.
  return { notBefore: new Date(now.getTime() - DAY), notAfter: new Date(now.getTime() + LIFETIME) };
}

function makeAuthority(keys: CryptoKeyPair, now: Date): Promise<X509Certificate> {
  return X509CertificateGenerator.createSelfSigned({
    name: "CN=Mailpipe local authority",
    keys,
    signingAlgorithm: ALGORITHM,
    ...period(now),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
}

function makeLeaf(
  authority: X509Certificate,
  signingKey: CryptoKey,
  publicKey: CryptoKey,
  now: Date,
): Promise<X509Certificate> {
  return X509CertificateGenerator.create({
    subject: "CN=localhost",
    issuer: authority.subject,
    signingKey,
    publicKey,
    signingAlgorithm: ALGORITHM,
    ...period(now),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
      ]),
    ],
  });
}
