import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exists } from '#lib/base/files.ts';
import { fixture } from '#lib/base/paths.ts';
import { settings as readSettings, type Settings } from '#lib/base/settings.ts';

/** A version of Go as its go.mod has it: major and minor. */
export type GoVersion = readonly [major: number, minor: number];

/** What a run builds with Go whatever Istio it has, as folders under fixtures/. */
const always = ['artifacts/kubernetes-', 'artifacts/coredns-', 'images/programs'];

/**
 * The oldest Go that builds all that a run with these settings may build: the newest of the `go` lines of their go.mod.
 * https://go.dev/ref/mod#go-mod-file-go
 *
 * @returns the version, and the module whose go.mod asks for it
 */
export function neededGo(settings: Settings = readSettings()): { version: GoVersion; module: string } {
  const folders = readdirSync(fixture('artifacts')).map((name) => `artifacts/${name}`);
  const istio = `artifacts/istio-${settings.istioVersion}`;
  const built = [...folders, 'images/programs'].filter(
    (folder) =>
      always.some((prefix) => folder.startsWith(prefix)) ||
      (folder === istio && settings.lab.artifactSource !== 'release'),
  );
  const asked = built.flatMap((folder) => {
    const file = fixture(folder, 'go.mod');
    const [, major, minor] = exists(file) ? (/^go (\d+)\.(\d+)/m.exec(readFileSync(file, 'utf8')) ?? []) : [];
    if (major === undefined || minor === undefined) return [];
    return [{ version: [Number(major), Number(minor)] as const, module: join('fixtures', folder, 'go.mod') }];
  });
  const [newest] = asked.toSorted((a, b) => (isOlder(a.version, b.version) ? 1 : -1));
  if (!newest) throw new Error('No go.mod under fixtures/ says which Go it takes.');
  return newest;
}

export const isOlder = (a: GoVersion, b: GoVersion): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
