import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { settings } from '#lib/base/settings.ts';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { patchedPrograms, takePatches, type PatchOptions } from '#lib/layers/arm64-patches.ts';
import { toolRoom } from '#lib/layers/container-tool.ts';
import { labWith, type Lab } from '#lib/layers/lab.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { elfMachineOf } from '#lib/probes/elf.ts';

const claim = claims('03-vm', { layer: 'machines' });

const imageOf = ({ settings: { istioVersion } }: Pick<Lab, 'settings'>): string =>
  `docker.io/istio/proxyv2:${istioVersion}`;
const ofThisHost = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** The words of both articles: what stands behind the image's name is no option any more. */
const documented = (name: string, image: string): string[] => [
  ...['create', `--name=${name}`, image, '--platform', 'linux/arm64'],
];

/** How the container is made; the falsifier makes it with other words. */
const making: Pick<PatchOptions, 'create'> = {};

const room = lasting(async (lab) => toolRoom(lab, 'arm64-patches'));
afterAll(async () => room.end());

claim('vm.arm64-patch-flow', {
  given: room.given,
  async falsifier() {
    making.create = documented;
    return change('the words of the article', async () => {
      delete making.create;
      return Promise.resolve();
    });
  },
  red: /expected 'x86-64' to be 'aarch64'/,

  async proof(lab, seen) {
    const { run } = room.now();
    const told = async (name: string, what: string): Promise<string> =>
      (await run(['podman', 'inspect', '--format', what, name])).stdout.trim();
    await run(['podman', 'rmi', '--all', '--force']);
    // the article's words: its option becomes the command, and the platform is that of the host
    const name = 'as-documented';
    await run(['podman', ...documented(name, imageOf(lab))]);
    seen(
      'the command of a container made with the words of the article',
      await told(name, '{{.Config.Cmd}}'),
    );
    expect(await told(name, '{{.Config.Cmd}}')).toBe('[--platform linux/arm64]');
    expect(await told(imageOf(lab), '{{.Os}}/{{.Architecture}}')).toBe(`linux/${ofThisHost}`);
    await run(['podman', 'rm', name]);

    let state = '';
    const folder = await takePatches(lab, {
      ...making,
      tool: 'podman',
      run,
      created: async (container) => {
        state = await told(container, '{{.State.Status}}, started {{.State.StartedAt.Unix}}');
      },
    });
    for (const path of patchedPrograms)
      expect(seen(path, await elfMachineOf(join(folder, path))), path).toBe('aarch64');
    expect(seen('the state of the container', state)).toBe('created, started -62135596800');
    expect((await run(['podman', 'ps', '--all', '--quiet'])).stdout).toBe('');
    await rm(folder, { recursive: true });
  },
});

/** The environment that the settings are read from. */
const environment: NodeJS.ProcessEnv = { CONTAINER_TOOL: 'podman' };

claim('vm.arm64-podman', {
  given: room.given,
  async falsifier() {
    delete environment['CONTAINER_TOOL'];
    return change('CONTAINER_TOOL ignored', async () => {
      environment['CONTAINER_TOOL'] = 'podman';
      return Promise.resolve();
    });
  },
  red: /CONTAINER_TOOL=podman: expected \[ 'docker create'/,

  async proof(lab, seen) {
    const { run, dir } = room.now();
    const { words, PATH } = await recordedTools(dir);
    const called = async (env: NodeJS.ProcessEnv): Promise<string[]> => {
      const folder = await takePatches(labWith(lab, { settings: settings(env) }), {
        run: async (asked, options) => run(asked, { ...options, env: { PATH } }),
      });
      await rm(folder, { recursive: true });
      return words();
    };

    const asked = seen('called with CONTAINER_TOOL=podman', await called(environment));
    expect(asked, 'CONTAINER_TOOL=podman').toEqual(['podman create', 'podman export', 'podman rm']);
    expect(seen('called without it', await called({}))).toEqual([
      'docker create',
      'docker export',
      'docker rm',
    ]);
  },
});

/**
 * A docker and a podman that write down what they are called with and hand it on to podman, as Debian's package
 * podman-docker does for docker: an engine of docker's own is not here.
 */
async function recordedTools(dir: string): Promise<{ PATH: string; words: () => Promise<string[]> }> {
  const [bin, calls] = [join(dir, 'bin'), join(dir, 'calls')];
  await mkdir(bin, { recursive: true });
  const path = process.env['PATH'] ?? '';
  for (const tool of ['docker', 'podman']) {
    const script = `#!/bin/sh\necho "${tool} $1" >>'${calls}'\nPATH='${path}' exec podman "$@"\n`;
    await writeFile(join(bin, tool), script, { mode: 0o755 });
  }
  return {
    PATH: `${bin}:${path}`,
    words: async () => {
      const text = await readFile(calls, 'utf8');
      await rm(calls);
      return text.trim().split('\n');
    },
  };
}
