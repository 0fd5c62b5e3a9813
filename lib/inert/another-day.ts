import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Resource } from '#lib/kube/client.ts';
import type { Target } from './target.ts';

/**
 * A lab of another day: all that it answers a lab did answer once, when it was well. Requests are served, though not by
 * the apps of this lab; certificates are long over; the VM is at another address.
 */
export const anotherDay: Target = {
  name: 'outdated',
  command(words) {
    const line = words.join(' ');
    if (/\bcurl$/.test(words[0] ?? '')) return curl(words);
    const said = answers.find(([pattern]) => pattern.test(line))?.[1] ?? '';
    return { stdout: typeof said === 'string' ? said : said(line) };
  },
  file: (path) => files.find(([pattern]) => pattern.test(path))?.[1] ?? '',
  address: () => address,
  objects: (kind) => (objects[kind] ?? objects['other'] ?? []).map((one) => ({ kind, ...one })),
  page: (path) =>
    path === '/version'
      ? '{"gitVersion":"v1.28.4+k3s2"}'
      : path.includes('/log')
        ? log
        : '{"groups":[],"items":[]}',
};

const objects = parse(readFileSync(new URL('./another-day.yaml', import.meta.url), 'utf8'), {
  merge: true,
}) as Record<string, Resource[]>;

const address = '192.168.64.32';
const body = '<!DOCTYPE html>\n<title>It works!</title>\n';

const ofEnvoy = (word: string): boolean => word.startsWith('http://127.0.0.1:15000/');

/** As often as there are addresses: 200, and a page of somebody. */
function curl(words: readonly string[]): { stdout: string; stderr: string } {
  const after = (flag: string): string => words[words.indexOf(flag) + 1] ?? '';
  const format = words.includes('-w') ? after('-w') : '';
  const head = words.includes('-i')
    ? 'HTTP/1.1 200 OK\r\nserver: envoy\r\ncontent-type: text/html\r\n\r\n'
    : '';
  const page = words.includes('/dev/null') ? '' : head + (words.some(ofEnvoy) ? '{}' : body);
  const facts = format
    .replaceAll(/%\{(http_code|response_code)\}/g, '200')
    .replaceAll('%{remote_ip}', '10.45.0.9')
    .replaceAll('%{time_total}', '0.012')
    .replaceAll(String.raw`\n`, '\n');
  const times = words.filter((word) => /^https?:\/\//.test(word)).length;
  return {
    stdout: (page + facts).repeat(times),
    stderr: '* Connected to 192.168.64.20 (192.168.64.20) port 80\n',
  };
}

const access =
  '[2023-11-20T10:07:00.000Z] "GET /hello HTTP/1.1" 200 - via_upstream - "-" 0 60 12 11 "-" "curl/8.4.0" ' +
  '"0d0c7c1e-0000-4000-8000-00000000000a" "helloworld.sample.svc:5000" "10.44.1.7:5000" ' +
  'outbound|5000||helloworld.sample.svc.cluster.local 10.44.1.8:40000 10.45.0.9:5000 10.44.1.8:50000 - default';

const log = [
  '2023-11-20T10:04:58.000000Z\tinfo\tVersion 1.19.3-clean',
  '2023-11-20T10:04:59.000000Z\tinfo\tsds\tRoot cert has changed, start rotating root cert',
  '2023-11-20T10:05:00.000000Z\tinfo\tcache\tgenerated new workload certificate\tlatency=100ms ttl=11h59m59s',
  '2023-11-20T10:05:00.000000Z\tinfo\tcache\treturned workload certificate from cache\tttl=11h59m59s',
  '2023-11-20T10:05:00.000000Z\tinfo\tcache\treturned workload trust anchor from cache\tttl=11h59m59s',
  '2023-11-20T10:05:01.000000Z\tinfo\txdsproxy\tconnected to upstream XDS server: istiod.istio-system.svc:15012',
  access,
  '',
].join('\n');

const certificate = [
  'serial=0123456789ABCDEF',
  'notBefore=Nov 20 09:58:00 2023 GMT',
  'notAfter=Nov 21 10:00:00 2023 GMT',
  'X509v3 Subject Alternative Name: critical',
  '    URI:spiffe://cluster.local/ns/old/sa/old',
  '',
].join('\n');

const rules = [
  '#iptables-nft-save',
  '*nat',
  ':PREROUTING ACCEPT [0:0]',
  ':ISTIO_INBOUND - [0:0]',
  ':ISTIO_OUTPUT - [0:0]',
  '-A PREROUTING -p tcp -j ISTIO_INBOUND',
  '-A ISTIO_INBOUND -p tcp -m tcp --dport 8080 -j ISTIO_IN_REDIRECT',
  '-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006',
  '-A OUTPUT -p tcp -j ISTIO_OUTPUT',
  'COMMIT',
  '',
].join('\n');

const clusters = JSON.stringify({
  cluster_statuses: [
    {
      name: 'outbound|8000||external-app.vmns.svc.cluster.local',
      host_statuses: [
        {
          address: { socket_address: { address, port_value: 8000 } },
          health_status: { eds_health_status: 'HEALTHY' },
          stats: [
            { name: 'cx_total', value: '7' },
            { name: 'rq_total', value: '9' },
          ],
        },
      ],
    },
  ],
});

const token = ['{"alg":"ES256"}', '{"iat":1700474700,"exp":1700478300}', 'signature']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

const unit = [
  'ActiveState=active',
  'SubState=running',
  'MainPID=4242',
  'NRestarts=0',
  'Restart=always',
  'RestartUSec=10s',
  'ExecMainStartTimestampMonotonic=100000000',
  'ActiveExitTimestampMonotonic=200000000',
  'StateChangeTimestampMonotonic=300000000',
  '',
].join('\n');

const journal = [
  '1700474820000',
  'Mon 2023-11-20 10:06:00.000000 UTC',
  '1700474800.000000 vm python3[4243]: 127.0.0.6 - - [20/Nov/2023 10:06:40] "GET / HTTP/1.1" 200 -',
  '',
].join('\n');

/** What programs said, by what is run; the first that fits. */
const answers: readonly [RegExp, string | ((line: string) => string)][] = [
  [/^ip .*(address|addr)/, `2: eth0    inet ${address}/24 brd 192.168.64.255 scope global eth0\n`],
  [/^ip .*route/, `default via 192.168.64.1 dev eth0\n192.168.64.0/24 dev eth0 src ${address}\n`],
  [/iptables.*--list ISTIO_IN_REDIRECT/, '    12   720 REDIRECT  6  --  *  *  0.0.0.0/0  0.0.0.0/0\n'],
  [/iptables-.*save/, rules],
  [/istio-iptables --dry-run/, rules],
  [/^openssl x509/, certificate],
  [
    /openssl s_client/,
    'CONNECTED(00000003)\nsubject=O = cluster.local\nVerify return code: 10 (certificate has expired)\n',
  ],
  [/^dig \+short/, '10.45.0.10\n'],
  [
    /^dig /,
    [
      ';; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1',
      ';; flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1',
      ';; ANSWER SECTION:',
      'istiod.istio-system.svc. 5 IN A 10.45.0.10',
      '',
      ';; SERVER: 192.168.64.1#53(192.168.64.1) (UDP)',
      '',
    ].join('\n'),
  ],
  [/^nslookup/, 'Name: kubernetes.default.svc.cluster.local\nAddress: 10.45.0.1\n'],
  [/journalctl/, journal],
  [/^systemctl show/, unit],
  [/^systemctl is-active/, 'active\n'],
  [/^pgrep/, '4242\n'],
  [/^id -u/, '998\n'],
  [/^getent passwd/, 'istio-proxy:x:998:998::/var/lib/istio:/bin/bash\n'],
  [/^uname/, '5.15.0-89-generic\n'],
  [/boot_id/, 'bootId=0d0c7c1e-0000-4000-8000-00000000000b\nkernel=5.15.0\ninit=systemd\nhost=old-vm\n'],
  [/^stat --format/, '/etc/certs root\n/usr/local/bin/envoy 755\n'],
  [/stat -c %s/, '1000\n1000\n'],
  [/block_size_bytes/, '8\n8000000\n'],
  [/sha256sum/, '0123456789abcdef  -\n'],
  [/istio-token/, token],
  [/istio\.log/, log],
  [/^dpkg-deb --contents/, '-rwxr-xr-x root/root 1 2023-11-20 10:00 ./usr/local/bin/pilot-agent\n'],
  [/^dpkg/, 'istio-sidecar: /lib/systemd/system/istio.service\n[Service]\nRestart=always\n'],
  [/pilot-agent request (GET|POST) clusters/, clusters],
  [
    /pilot-agent request (GET|POST) listeners/,
    '{"listener_statuses":[{"local_address":{"socket_address":{"address":"0.0.0.0","port_value":15021}}}]}',
  ],
  [/pilot-agent request|pilot-discovery request/, '[]'],
  [
    /^istioctl version/,
    'client version: 1.19.3\ncontrol plane version: 1.19.3\ndata plane version: 1.19.3 (4 proxies)\n',
  ],
  [/^istioctl tag list/, 'TAG     REVISION NAMESPACES\ndefault 1-19-3\n'],
  [
    /^istioctl proxy-status/,
    'NAME CLUSTER CDS LDS EDS RDS ISTIOD VERSION\ncurl.sample old SYNCED SYNCED SYNCED SYNCED istiod-1-19-3 1.19.3\n',
  ],
  [
    /^istioctl proxy-config/,
    'ADDRESSES PORT MATCH DESTINATION\n0.0.0.0 15021 ALL Inline Route: /healthz/ready*\n',
  ],
  [/^istioctl .*(precheck|analyze)/, 'No issues found when checking the cluster.\n'],
  [/^istioctl/, 'Done.\n'],
  [/^kubectl .*-o json\b/, '{"items":[]}'],
  [/^kubectl .*get pods/, 'helloworld-v1-5f44dd8565-abcde   2/2   Running   0   366d\n'],
  [/^kubectl .*jsonpath=\{\.clusters/, 'https://192.168.64.20:6443'],
  [/^kubectl .*metadata\.uid/, '0d0c7c1e-0000-4000-8000-00000000000c'],
  [/^kubectl/, 'NAME   READY   STATUS    RESTARTS   AGE\ncurl   2/2     Running   0          366d\n'],
  [/^cat /, (line) => anotherDay.file(line.slice('cat '.length))],
];

const env = [
  "CA_ADDR='istiod.istio-system.svc:15012'",
  "ISTIO_INBOUND_PORTS='8080'",
  "ISTIO_META_NETWORK='old-network'",
  '',
].join('\n');

/** What files held, by their path; the first that fits. */
const files: readonly [RegExp, string][] = [
  [/cluster\.env$/, env],
  [/hosts$/, '192.168.64.20 istiod.istio-system.svc\n'],
  [/istio-token$/, token],
  [/resolv\.conf$/, 'nameserver 192.168.64.1\n'],
  [/mesh(\.yaml)?$/, 'defaultConfig:\n  meshId: oldmesh\n'],
  [/istio(\.err)?\.log$/, log],
  [/kubeconfig/, 'apiVersion: v1\nkind: Config\n'],
  [/version-before-install/, 'client version: 1.19.3\nno ready Istio pods in "old-system"\n'],
  [/\.pem$/, '-----BEGIN CERTIFICATE-----\nMIIBdzCCAR2gAwIBAgIBATAK\n-----END CERTIFICATE-----\n'],
];
