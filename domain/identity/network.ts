/** An address as text has 45 characters at most; a header that a proxy passes on may hold anything. */
const MAX_LENGTH = 64;

/** The network that one caller usually controls: the whole /64 for IPv6, else the address. */
export const networkOf = (address: string): string => {
  if (!address.includes(':')) return address.slice(0, MAX_LENGTH);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? network64(address.slice(0, MAX_LENGTH));
};

const network64 = (address: string): string => {
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
};
