import { describe, expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { containerdConfig, containerdOf, type Containerd } from './containerd.ts';

const saying = async (stdout: string): Promise<Containerd> =>
  containerdOf(async () => Promise.resolve({ stdout, stderr: '', code: 0, ms: 1 }));

const places = { root: '/root-of-it', state: '/state-of-it', socket: '/socket-of-it', cni: '/cni-of-it' };

/** What `containerd --version` says, by where it is from; Debian's first is as seen, Ubuntu's has no revision. */
const ofDebian12 = 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3\n';
const ofDebian13 = 'containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+deb13u1\n';
const ofUbuntu = 'containerd github.com/containerd/containerd/v2 2.2.1 \n';
const ofDocker = 'containerd containerd.io v2.2.1 dea7da592f5d1d2b7755e3a161be07f43fad8f75\n';
const ofDockerBefore = 'containerd containerd.io 1.7.27 05044ec0a9a75232cad458027ca83437aae3f4da\n';

test.each([
  ['1.6 of Debian', ofDebian12, '1.6.20', 2],
  ['1.7 of Debian', ofDebian13, '1.7.24', 2],
  ["1.7 of Docker's packages", ofDockerBefore, '1.7.27', 2],
  [
    '2.1',
    'containerd github.com/containerd/containerd/v2 v2.1.5 fcd43222d6b07379a4be9786bda52438f0dd16a1',
    '2.1.5',
    3,
  ],
  ['2.2 of Ubuntu', ofUbuntu, '2.2.1', 3],
  ["2.2 of Docker's packages", ofDocker, '2.2.1', 3],
  ['2.2 as Go builds it', 'containerd github.com/containerd/containerd/v2 2.2.1+unknown ', '2.2.1', 3],
  ['a candidate', 'containerd github.com/containerd/containerd/v2 v2.3.0-rc.1 0123abc', '2.3.0', 3],
])('%s gets the configuration of its version', async (_, said, version, configVersion) => {
  expect(await saying(said)).toEqual({ version, configVersion });
});

const needed = 'containerd 1.6, 1.7 or 2.x is needed on the nodes';
const way = "install containerd of Debian or Ubuntu, or Docker's containerd.io, and put it first on PATH";

test.each([
  [
    'too old',
    'containerd github.com/containerd/containerd 1.5.9-0ubuntu1~20.04.6 ',
    `${needed}, and the containerd on PATH is 1.5.9; ${way}.`,
  ],
  [
    'something else',
    'usage: containerd\n',
    `${needed}, and \`containerd --version\` says "usage: containerd"; ${way}.`,
  ],
  ['nothing', '', `${needed}, and \`containerd --version\` says ""; ${way}.`],
  [
    'a major version that nobody knows',
    'containerd github.com/containerd/containerd/v3 v3.0.0 0123abc',
    `${needed}, and \`containerd --version\` says "containerd github.com/containerd/containerd/v3 v3.0.0 0123abc"; ${way}.`,
  ],
])('%s is refused by name', async (_, said, words) => {
  await expect(saying(said)).rejects.toThrow(RefusedError);
  await expect(saying(said)).rejects.toThrow(words);
});

test.each([
  ['Debian 12', ofDebian12, 2],
  ['Debian 13', ofDebian13, 2],
  ['Ubuntu 22.04', ofUbuntu, 3],
  ['Ubuntu 24.04', ofUbuntu, 3],
  ['Ubuntu 26.04', ofUbuntu, 3],
] as const)("%s, with and without Docker's packages", async (_, said, configVersion) => {
  expect(containerdConfig(await saying(said), places)).toMatch(`version = ${String(configVersion)}\n`);
  expect(containerdConfig(await saying(ofDocker), places)).toMatch('version = 3\n');
});

describe.each([2, 3] as const)('the configuration of version %i', (configVersion) => {
  const text = containerdConfig({ configVersion }, places);
  const [images, runtime] =
    configVersion === 2
      ? ['io.containerd.grpc.v1.cri', 'io.containerd.grpc.v1.cri']
      : ['io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime'];
  const sections = sectionsOf(text);

  test('has the places that were asked for', () => {
    expect(sections['']).toMatchObject({
      version: String(configVersion),
      root: '"/root-of-it"',
      state: '"/state-of-it"',
    });
    expect(sections['grpc']).toEqual({ address: '"/socket-of-it"' });
    expect(sections[`plugins."${runtime}".cni`]).toEqual({ conf_dir: '"/cni-of-it"' });
  });

  test('has what a node needs under the names of that version', () => {
    expect(sections[`plugins."${runtime}"`]).toMatchObject({
      disable_apparmor: 'true',
      restrict_oom_score_adj: 'true',
    });
    expect(sections[`plugins."${images}".registry`]).toEqual({ config_path: '"/etc/containerd/certs.d"' });
    expect(sections[`plugins."${runtime}".containerd.runtimes.runc.options`]).toEqual({
      SystemdCgroup: 'false',
    });
    const pause =
      configVersion === 2
        ? sections[`plugins."${images}"`]?.['sandbox_image']
        : sections[`plugins."${images}".pinned_images`]?.['sandbox'];
    expect(pause).toBe('"registry.k8s.io/pause:3.10"');
  });

  test('has no plugin of the other version', () => {
    const plugins = Object.keys(sections).flatMap((name) => /"(.+)"/.exec(name)?.[1] ?? []);
    expect(new Set(plugins)).toEqual(new Set([images, runtime]));
  });
});

/** The settings by section, as they are written. */
function sectionsOf(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = { '': {} };
  let section = '';
  for (const line of text.split('\n').map((one) => one.trim())) {
    section = /^\[(.+)\]$/.exec(line)?.[1] ?? section;
    const [, name, value] = /^(\w+) = (.+)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined)
      sections[section] = { ...sections[section], [name]: value };
  }
  return sections;
}
