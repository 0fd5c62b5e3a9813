import type { Labels, Selector } from './objects.ts';

/** Whether labels fit a selector. An empty selector fits all; NotIn and DoesNotExist fit where the key is missing. */
export function fits(selector: Selector, labels: Labels = {}): boolean {
  const wanted = Object.entries(selector.matchLabels ?? {});
  return (
    wanted.every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          throw new Error(
            `A selector has the operator "${operator}"; In, NotIn, Exists and DoesNotExist are known.`,
          );
      }
    })
  );
}
