import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fixture } from '#lib/base/paths.ts';
import { catalogue } from './catalogue.ts';
import { idChanges, uncited, unproved } from './coverage.ts';
import { implemented } from './implemented.ts';

describe('this project', () => {
  const known = catalogue();

  test('proves every core claim', () => {
    const core = known.claims.filter((claim) => claim.class === 'core');
    expect(unproved(core, implemented())).toEqual([]);
  });

  test('keeps every id: what a report of another day calls by its name is still called so', () => {
    const ids = readFileSync(fixture('claims', 'ids.txt'), 'utf8').trim().split('\n');
    expect(idChanges(ids, known.claims)).toEqual({ gone: [], unlisted: [] });
  });

  test('takes a claim from every section of its sources, or says why none comes from it', () => {
    expect(uncited(known)).toEqual([]);
  });

  test('has no reason for silence where a claim does come from the section, or where there is no such section', () => {
    const cited = new Set(
      known.claims.flatMap(({ sources }) => sources.map(({ source, section }) => `${source}: ${section}`)),
    );
    const silent = Object.entries(known.sources).flatMap(([name, { sections, silent: reasons = {} }]) =>
      Object.keys(reasons).map((section) => ({
        at: `${name}: ${section}`,
        there: sections.includes(section),
      })),
    );
    expect(silent.filter(({ at, there }) => !there || cited.has(at))).toEqual([]);
  });
});

describe('what is missing is found', () => {
  const claims = catalogue().claims.slice(0, 3);
  const [one, two, three] = claims.map(({ id }) => id);

  test('a claim without a proof', () => {
    const proofs = claims.slice(1).map(({ id }) => ({ id, file: 'a.test.ts' }));
    expect(unproved(claims, proofs)).toEqual([one]);
  });

  test('an id that changed', () => {
    expect(idChanges([one ?? '', two ?? '', 'cluster.gone'], claims)).toEqual({
      gone: ['cluster.gone'],
      unlisted: [three],
    });
  });

  test('a section that no claim cites', () => {
    const sources = { guide: { title: 'A guide', sections: ['a', 'b', 'c'], silent: { b: 'a heading' } } };
    const cites = claims
      .slice(0, 1)
      .map((claim) => ({ ...claim, sources: [{ source: 'guide', section: 'a' }] }));
    expect(uncited({ claims: cites, sources })).toEqual(['guide: c']);
  });
});
