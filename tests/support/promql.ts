import { parser } from '@prometheus-io/lezer-promql';

/** What an expression of Prometheus's language names. */
export interface Expression {
  /** Where it does not parse. */
  readonly errors: readonly string[];
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  /** Labels that it groups or matches by. */
  readonly groupings: readonly string[];
}

export const readExpression = (text: string): Expression => {
  const errors: string[] = [];
  const selectors: { metric: string; labels: string[] }[] = [];
  const groupings: string[] = [];
  const parents: string[] = [];
  parser.parse(text).iterate({
    enter: ({ name, type, from, to }) => {
      const word = text.slice(from, to);
      if (type.isError) errors.push(`${text} at ${from}`);
      if (name === 'VectorSelector') selectors.push({ metric: '', labels: [] });
      const selector = selectors.at(-1);
      if (name === 'Identifier' && parents.at(-1) === 'VectorSelector' && selector !== undefined)
        selector.metric = word;
      if (name === 'LabelName')
        if (parents.at(-1) === 'GroupingLabels') groupings.push(word);
        else selector?.labels.push(word);
      parents.push(name);
    },
    leave: () => void parents.pop(),
  });
  return { errors, selectors, groupings };
};
