import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { CommandError, type Output } from '#lib/base/command.ts';
import { RefusedError } from '#lib/base/errors.ts';
import type { Settings } from '#lib/base/settings.ts';
import { ownArchitecture } from './architecture.ts';
import {
  containerTool,
  imageArchive,
  publishIstio,
  settingsFor,
  type MadeUp,
  siteForEachTest,
} from './release/made-up.ts';
import { downloadsOf, istioRelease } from './release/istio-release.ts';
import { istioSource, type IstioSource } from './source.ts';
import { made } from './store.ts';

const said = (code: number, stderr = ''): Output => ({ stdout: '', stderr, code, ms: 1 });

const at = siteForEachTest();
let paths: MadeUp;
beforeEach(async () => {
  paths = await publishIstio(at.site, '1.27.9', join(at.dir, 'made-up'));
});

const asking = (env: NodeJS.ProcessEnv = {}): Settings => settingsFor(at.site, { LAB_CACHE: at.dir, ...env });

const choose = async (
  env: NodeJS.ProcessEnv = {},
  tool: () => Promise<Output> = async () => Promise.resolve(said(0)),
): Promise<IstioSource> => istioSource(asking(env), { attempt: tool, within: 2000 });

/** What is said by whoever refuses. */
async function refusal(env: NodeJS.ProcessEnv, tool?: () => Promise<Output>): Promise<string> {
  const error = await choose(env, tool).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RefusedError);
  return (error as RefusedError).message;
}

test('auto takes the release where all of it can be reached, by its checksum files alone', async () => {
  expect(await choose()).toMatchObject({ is: 'release', why: 'it can be reached' });

  expect(new Set(at.site.asked)).toEqual(
    new Set(
      [paths.archive, paths.packages[ownArchitecture], paths.packages.arm64].map((path) => `${path}.sha256`),
    ),
  );
});

test('modules asks nobody', async () => {
  expect(await choose({ ARTIFACT_SOURCE: 'modules' })).toMatchObject({
    is: 'modules',
    version: { version: '1.27.9' },
  });
  expect(at.site.asked).toEqual([]);
});

test('a version that modules has and the release has not, such as master, is taken from modules', async () => {
  expect(await choose({ ISTIO_VERSION: 'master' })).toMatchObject({
    is: 'modules',
    why: 'the release source cannot give it: there is no release called master',
  });
  expect(await choose({ ISTIO_VERSION: '1.24.0' })).toMatchObject({
    is: 'modules',
    why: expect.stringMatching(
      /istio-1\.24\.0-linux-\w+\.tar\.gz\.sha256 is not to be had \(HTTP 404\)/,
    ) as string,
  });
});

test('a version that modules does not have is taken from the release', async () => {
  await publishIstio(at.site, '1.19.3', join(at.dir, 'other'));

  expect(await choose({ ISTIO_VERSION: '1.19.3' })).toMatchObject({
    is: 'release',
    release: { version: '1.19.3' },
  });
});

test('packages may lie at the second of their addresses; when none has them each is named', async () => {
  const base = settingsFor(at.site).lab.releases.packages[0] ?? '';
  const elsewhere = `${at.site.address}/elsewhere`;

  expect(await choose({ ISTIO_PACKAGES: `${elsewhere} ${base}` })).toMatchObject({ is: 'release' });
  expect(
    await refusal({ ARTIFACT_SOURCE: 'release', ISTIO_PACKAGES: `${elsewhere} ${elsewhere}/2` }),
  ).toMatch(
    /elsewhere\/1\.27\.9\/deb\/istio-sidecar\S*\.sha256 is not to be had \(HTTP 404\), and \S+elsewhere\/2\/\S+ is not to be had/,
  );
});

/** What keeps the release from being taken -> how it is said. */
const lacks: [string, () => Promise<void> | void, RegExp, (() => Promise<Output>)?][] = [
  [
    'nothing reachable',
    async () => at.site[Symbol.asyncDispose](),
    /\.tar\.gz\.sha256 cannot be reached \(.*ECONNREFUSED/,
  ],
  [
    'a server that does not answer',
    () => void at.site.faults.set(`${paths.archive}.sha256`, ['stalls', 'on']),
    /\.tar\.gz\.sha256 cannot be reached \(no answer within 2 s\)/,
  ],
  [
    'an absent package',
    () => void at.site.files.delete(`${paths.packages.arm64}.sha256`),
    /istio-sidecar-arm64\.deb\.sha256 is not to be had \(HTTP 404\)/,
  ],
  [
    'a container tool without its engine',
    () => undefined,
    /its images take CONTAINER_TOOL=docker, which cannot be used \(Cannot connect to the Docker daemon\)/,
    async () => Promise.resolve(said(1, 'Client: 27\nCannot connect to the Docker daemon\n')),
  ],
  [
    'no container tool',
    () => undefined,
    /CONTAINER_TOOL=docker, which cannot be used \(Could not be started: docker version\)/,
    async () =>
      Promise.reject(new CommandError(['docker', 'version'], 'Could not be started', said(-1, 'ENOENT'))),
  ],
];

test.each(lacks)('with %s auto takes the modules and says why', async (_, harm, message, tool) => {
  await harm();

  const { is, why } = await choose({}, tool);

  expect(is).toBe('modules');
  expect(why).toMatch(/^the release source cannot give it: /);
  expect(why).toMatch(message);
});

test.each(lacks)(
  'with %s ARTIFACT_SOURCE=release is refused in one sentence',
  async (_, harm, message, tool) => {
    await harm();

    const refused = await refusal({ ARTIFACT_SOURCE: 'release' }, tool);

    expect(refused).toMatch(/^ARTIFACT_SOURCE=release has no Istio 1\.27\.9 for this run: /);
    expect(refused).toMatch(message);
    expect(refused).not.toContain('\n');
  },
);

test('a version that no source has is refused with what each lacks', async () => {
  expect(await refusal({ ISTIO_VERSION: '1.26.0' })).toMatch(
    /^ISTIO_VERSION=1\.26\.0 is in no artifact source: modules has 1\.27\.9, .*; release cannot give it: http:\S+istio-1\.26\.0-linux-\w+\.tar\.gz\.sha256 is not to be had \(HTTP 404\)\.$/,
  );
  expect(await refusal({ ISTIO_VERSION: '1.18.7' })).toMatch(
    /release cannot give it: it is taken from 1\.19 on\.$/,
  );
  expect(await refusal({ ISTIO_VERSION: '1.26.0', ARTIFACT_SOURCE: 'modules' })).toMatch(
    /is in no artifact source: modules has .*, and ARTIFACT_SOURCE=modules leaves release/,
  );
  expect(await readdir(at.dir)).toEqual(['made-up']);
});

test('a release that is in the cache is taken with nothing reachable', async () => {
  const image = await imageArchive('docker.io/istio/any:1.27.9', [{ '/any': '' }], join(at.dir, 'image'));
  await containerTool('docker', image, at.dir);
  vi.stubEnv('PATH', `${at.dir}:${process.env['PATH'] ?? ''}`);
  const store = join(at.dir, 'artifacts');
  for (const one of downloadsOf(istioRelease(asking()))) await made(one, { store });
  await at.site[Symbol.asyncDispose]();

  expect(await choose({ ARTIFACT_SOURCE: 'release' })).toMatchObject({
    is: 'release',
    why: 'all of it is in the cache',
  });
});
