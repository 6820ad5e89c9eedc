import ipaddr from 'ipaddr.js';

/** An address as text has 45 characters at most; a header that a proxy passes on may hold anything. */
const MAX_LENGTH = 64;

/** The network that one caller usually controls: the whole /64 for IPv6, else the address. */
export const networkOf = (address: string): string => {
  if (!ipaddr.isValid(address)) return address.slice(0, MAX_LENGTH);
  // An IPv4 address that is written as IPv6 counts as itself.
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? hexOf(parsed.parts.slice(0, 4)) : parsed.toString();
};

const hexOf = (groups: readonly number[]): string => groups.map((group) => group.toString(16)).join(':');
