import { admin } from './envoy.ts';
import type { Place } from './places.ts';

/** A certificate with what identifies it; never its content. */
export interface Certificate {
  serial: string;
  /** Such as spiffe://cluster.local/ns/vmns/sa/vmsa. */
  names: string[];
  /** Milliseconds since 1970. */
  notBefore: number;
  notAfter: number;
}

/** The pairs of trust anchors and own chain that Envoy uses, by its admin interface (/certs). */
export async function envoyCertificates(
  proxy: Place,
): Promise<{ anchors: Certificate[]; chain: Certificate[] }[]> {
  const { certificates = [] } = JSON.parse(await admin(proxy, '/certs')) as {
    certificates?: { ca_cert?: AdminCertificate[]; cert_chain?: AdminCertificate[] }[];
  };
  return certificates.map(({ ca_cert = [], cert_chain = [] }) => ({
    anchors: ca_cert.map(fromAdmin),
    chain: cert_chain.map(fromAdmin),
  }));
}

interface AdminCertificate {
  serial_number: string;
  subject_alt_names?: { uri?: string; dns?: string }[];
  valid_from: string;
  expiration_time: string;
}

const fromAdmin = (one: AdminCertificate): Certificate => ({
  serial: one.serial_number.toLowerCase(),
  names: (one.subject_alt_names ?? []).map(({ uri, dns }) => uri ?? dns ?? '?'),
  notBefore: Date.parse(one.valid_from),
  notAfter: Date.parse(one.expiration_time),
});

/** The first certificate of a PEM file on a machine, by openssl. */
export async function certificateIn(place: Place, file: string): Promise<Certificate> {
  const facts = ['-noout', '-serial', '-startdate', '-enddate', '-ext', 'subjectAltName'];
  const { stdout, stderr, code } = await place.attempt(['openssl', 'x509', '-in', file, ...facts]);
  if (code !== 0) throw new Error(`${file} on ${place.name} is not a certificate: ${stderr.trim()}`);
  const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  return {
    serial: field('serial').toLowerCase(),
    names: [...stdout.matchAll(/(?:URI|DNS):([^,\s]+)/g)].map(([, name = '']) => name),
    notBefore: Date.parse(field('notBefore')),
    notAfter: Date.parse(field('notAfter')),
  };
}
