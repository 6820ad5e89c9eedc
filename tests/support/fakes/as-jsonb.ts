/** The value as PostgreSQL gives it back from a column of `jsonb`: members by the length of their names, then by bytes. */
export const asJsonb = <Value>(value: Value): Value => sorted(value) as Value;

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [Buffer.from(name), sorted(member)] as const);
  members.sort(([one], [other]) => one.length - other.length || Buffer.compare(one, other));
  return Object.fromEntries(members.map(([name, member]) => [name.toString(), member]));
};
