import { expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { kubernetesSource, type KubernetesSource } from './kubernetes-source.ts';
import { publishK3s, settingsFor, siteForEachTest } from './release/made-up.ts';

const at = siteForEachTest();

const choose = async (env: NodeJS.ProcessEnv): Promise<KubernetesSource> =>
  kubernetesSource(settingsFor(at.site, { LAB_CACHE: at.dir, ...env }), { within: 500 });

test('on machines of multipass auto takes k3s where its release can be had, by its checksums alone', async () => {
  const base = publishK3s(at.site, 'v1.27.7+k3s1', ['tar']);

  expect(await choose({ LAB_PROVIDER: 'multipass' })).toEqual({
    is: 'k3s',
    why: 'the release of v1.27.7+k3s1 can be had',
  });
  expect(at.site.asked).toEqual([expect.stringMatching(`^${base}/sha256sum-`)]);
});

test('and upstream where it cannot, and says why', async () => {
  expect(await choose({ LAB_PROVIDER: 'multipass' })).toMatchObject({
    is: 'upstream',
    why: expect.stringMatching(
      /^k3s v1\.27\.7\+k3s1 cannot be had: .*sha256sum-\w+\.txt is not to be had \(HTTP 404\)$/,
    ) as string,
  });
  await at.site[Symbol.asyncDispose]();
  expect((await choose({ LAB_PROVIDER: 'multipass' })).why).toMatch(/cannot be reached \(.*ECONNREFUSED/);
});

test('on local nodes auto takes upstream, and k3s is taken when it is asked for', async () => {
  publishK3s(at.site, 'v1.27.7+k3s1', ['tar']);

  expect(await choose({})).toMatchObject({ is: 'upstream' });
  expect(at.site.asked).toEqual([]);
  expect(await choose({ LAB_DISTRIBUTION: 'k3s' })).toMatchObject({ is: 'k3s' });
});

test('upstream asks nobody', async () => {
  publishK3s(at.site, 'v1.27.7+k3s1', ['tar']);

  const chosen = await choose({ LAB_DISTRIBUTION: 'upstream', LAB_PROVIDER: 'multipass' });

  expect(chosen).toEqual({ is: 'upstream', why: 'LAB_DISTRIBUTION=upstream' });
  expect(at.site.asked).toEqual([]);
});

test.each([
  ['without its release', {}, /sha256sum-\w+\.txt is not to be had \(HTTP 404\)\.$/],
  ['with modules alone', { ARTIFACT_SOURCE: 'modules' }, /ARTIFACT_SOURCE=modules leaves its release out\.$/],
])('k3s that is asked for %s is refused in one sentence', async (_, env, message) => {
  const refused = choose({ LAB_DISTRIBUTION: 'k3s', ...env });

  await expect(refused).rejects.toThrow(RefusedError);
  await expect(refused).rejects.toThrow(/^LAB_DISTRIBUTION=k3s has no k3s v1\.27\.7\+k3s1 for this run: /);
  await expect(refused).rejects.toThrow(message);
});
