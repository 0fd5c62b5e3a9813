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

/** What Envoy was given over SDS. */
export interface EnvoySecrets {
  /** Envoy's own name in the mesh, as it asks for the secrets. */
  node: string;
  /** The names of the secrets it was given. */
  given: string[];
  /** The own certificates and the trust anchors that it uses, each once. */
  chain: Certificate[];
  anchors: Certificate[];
}

/** The secrets of an Envoy, by curl from its admin interface. Their content is not asked for. */
export async function envoySecrets(proxy: Place): Promise<EnvoySecrets> {
  const pages = ['server_info', 'config_dump?resource=dynamic_active_secrets&mask=name', 'certs'];
  const end = '--page--';
  const { stdout, stderr, code } = await proxy.attempt([
    ...['curl', '-sS', '-m', '20', '-w', end],
    ...pages.map((page) => `http://127.0.0.1:15000/${page}`),
  ]);
  if (code !== 0) throw new Error(`Envoy of ${proxy.name} did not tell its secrets: ${stderr.trim()}`);
  const [info, dump, certs] = stdout.split(end);
  const { node } = JSON.parse(info ?? '') as { node?: { id?: string } };
  const { configs = [] } = JSON.parse(dump ?? '') as { configs?: { name?: string }[] };
  const { certificates = [] } = JSON.parse(certs ?? '') as { certificates?: AdminCertificates[] };
  return {
    node: node?.id ?? '',
    given: configs.map(({ name = '' }) => name).sort(),
    chain: once(certificates.flatMap(({ cert_chain = [] }) => cert_chain)),
    anchors: once(certificates.flatMap(({ ca_cert = [] }) => ca_cert)),
  };
}

interface AdminCertificates {
  ca_cert?: AdminCertificate[];
  cert_chain?: AdminCertificate[];
}

interface AdminCertificate {
  serial_number: string;
  subject_alt_names?: { uri?: string; dns?: string }[];
  valid_from: string;
  expiration_time: string;
}

function once(all: readonly AdminCertificate[]): Certificate[] {
  const bySerial = new Map<string, Certificate>();
  for (const { serial_number, subject_alt_names = [], valid_from, expiration_time } of all) {
    const serial = serial_number.toLowerCase();
    const names = subject_alt_names.map(({ uri, dns }) => uri ?? dns ?? '?');
    bySerial.set(serial, {
      serial,
      names,
      notBefore: Date.parse(valid_from),
      notAfter: Date.parse(expiration_time),
    });
  }
  return [...bySerial.values()];
}

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
