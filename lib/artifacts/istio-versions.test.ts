import { expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';
import { fixture } from '#lib/base/paths.ts';
import { istioPrograms } from './istio.ts';
import { istioVersion, moduleVersions } from './istio-versions.ts';

test.each(moduleVersions())('%s has a pinned module and a pinned Envoy', (version) => {
  const found = istioVersion(version);

  expect(exists(fixture(istioPrograms(found).folder, 'go.sum'))).toBe(true);
  expect(exists(fixture('artifacts', 'envoy', `requirements-${found.envoy}.txt`))).toBe(true);
});

test('the programs report the version and the commit', () => {
  const { values = {} } = istioPrograms(istioVersion('1.27.9'));

  expect(values['istio.io/istio/pkg/version.buildVersion']).toBe('1.27.9');
  expect(values['istio.io/istio/pkg/version.buildGitRevision']).toBe('b9159ca3e5d5');
});

test('a version that no source has is refused with those that there are', () => {
  expect(() => istioVersion('1.26.0')).toThrow(RefusedError);
  expect(() => istioVersion('1.26.0')).toThrow(
    /ISTIO_VERSION=1\.26\.0 is in no artifact source: modules has 1\.27\.9, 1\.24\.0, master, and ARTIFACT_SOURCE=modules/,
  );
});
