import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';

const claim = claims('01-cluster', { layer: 'cluster' });

const server = ['config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}'];
const uid = ['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}'];
const modeOf = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8);

/**
 * There are two files: that of the document, used by a client on the lab's network, and one for the host, where
 * no program may reach for an address of the lab and all goes through a forwarder on loopback.
 */
claim('cluster.kubeconfig-client', {
  requires: ['own-cluster'],
  async proof({ dir, programs, nodes, kubectl, bystander }, seen) {
    const [inLab, onHost] = [join(dir, 'kubeconfig.lab'), join(dir, 'kubeconfig')];
    const client = async (words: readonly string[]): Promise<string> =>
      (await bystander([join(programs.kubernetes, 'kubectl'), ...words], { env: { KUBECONFIG: inLab } }))
        .stdout;
    const address = await nodes[0]?.address();

    expect({ inLab: await modeOf(inLab), onHost: await modeOf(onHost) }).toEqual({
      inLab: '600',
      onHost: '600',
    });
    expect(seen('the server for a client on the network of the lab', await client(server))).toBe(
      `https://${String(address)}:6443`,
    );
    const namespace = seen('the uid of kube-system that it reads', await client(uid));
    expect(namespace).toMatch(/^[0-9a-f-]{36}$/);

    expect(seen('the server for the host', (await kubectl(server)).stdout)).toMatch(
      /^https:\/\/127\.0\.0\.1:\d+$/,
    );
    expect(seen('the uid that the host reads', (await kubectl(uid)).stdout)).toBe(namespace);
  },

  async falsifier({ dir }) {
    const file = join(dir, 'kubeconfig.lab');
    const before = await readFile(file, 'utf8');
    await writeFile(file, before.replaceAll(/server: .*/g, 'server: https://127.0.0.1:6443'));
    return change('the server of kubeconfig.lab left at loopback', async () => writeFile(file, before));
  },
  red: /expected 'https:\/\/127\.0\.0\.1:6443' to be/,
});
