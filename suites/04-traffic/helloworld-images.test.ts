import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { helloworldBySed, otherArchitecture, runOn } from '#lib/layers/image-trial.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { alsoNamed, registryOfOnly } from '#lib/layers/node-registry.ts';
import { together } from '#lib/layers/passing.ts';

const claim = claims('04-traffic', { layer: 'apps' });

/** The article's `sed -E`, for images that somebody has built for the host's architecture. */
const article = { words: 's!istio/examples!radekg/examples!g' };

/** The images of a manifest as those of 1.19 were named, without a tag. */
const imagesIn = (manifest: string): string[] =>
  [...manifest.matchAll(/image: (\S+?)(?::[\d.]+)?$/gm)].map(([, image = '']) => image);

const lastOf = ({ nodes }: Lab): Lab['nodes'][number] => nodes.at(-1) as Lab['nodes'][number];

claim('traffic.helloworld-arm64-images', {
  requires: ['node-registries'],
  // the article's host has the one, its images are of the other; here it is the other way round
  given: async (lab) =>
    together(
      async () => registryOfOnly(lab, lastOf(lab), otherArchitecture),
      async () =>
        alsoNamed(
          lastOf(lab),
          'docker.io/istio/examples-helloworld-v1:1.0',
          'docker.io/radekg/examples-helloworld-v1:latest',
        ),
    ),
  falsifier() {
    const { words } = article;
    article.words = '';
    return change('the unmodified manifest', async () => {
      article.words = words;
      return Promise.resolve();
    });
  },
  red: /with the prefix of the article: expected 'ErrImagePull: .*no match for platform in manifest/s,

  async proof(lab, seen) {
    const node = lastOf(lab).name;
    const published = await helloworldBySed('');
    const rewritten = await helloworldBySed(article.words);

    const [ofIstio = ''] = imagesIn(published);
    const unmodified = seen(`${ofIstio} on ${node}`, await runOn(lab, node, ofIstio));
    expect(unmodified).toMatch(/^ErrImagePull: .*no match for platform in manifest/);

    const [built = ''] = imagesIn(rewritten);
    const state = seen(`${built} on ${node}`, await runOn(lab, node, built));
    expect(state, 'with the prefix of the article').toBe('running');

    const lines = published.split('\n');
    const changed = rewritten.split('\n').flatMap((line, at) => (line === lines[at] ? [] : [line.trim()]));
    expect(seen('the lines that sed changes', changed)).toEqual([
      'image: docker.io/radekg/examples-helloworld-v1:1.0',
      'image: docker.io/radekg/examples-helloworld-v2:1.0',
    ]);
  },
});
