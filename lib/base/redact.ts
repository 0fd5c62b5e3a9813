const secrets: readonly [RegExp, string][] = [
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    '(private key withheld)',
  ],
  // the same in base64, as Kubernetes writes it: "-----BEGIN " and what comes before "PRIVATE KEY"
  [
    /LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJVkFUR|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVE|BFTkNSWVBURUQgUFJJVkFUR)[A-Za-z0-9+/=]*/g,
    '(private key withheld)',
  ],
  // also the beginning of a token, as error messages cut them
  [/\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*/g, '(token withheld)'],
  // that of a node of k3s, which begins with the sum of its certificates
  [/\bK10[0-9a-f]{64}::[^\s"']+/g, '(token withheld)'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g, '$1 (withheld)'],
  [/((?:client-key-data|token|password)"?\s*[:=]\s*"?)[A-Za-z0-9+/=_.-]{20,}/g, '$1(withheld)'],
  [/\b(passw(?:or)?d["']?\s*[:=]\s*["']?)(?!\()[^\s"',;()[\]{}<>$]{6,}/gi, '$1(withheld)'],
];

/** Takes tokens, private keys and passwords out of a text that is going to be shown or stored. */
export function redact(text: string): string {
  return secrets.reduce((clean, [pattern, instead]) => clean.replace(pattern, instead), text);
}
