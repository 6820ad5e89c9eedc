import { InvalidArgumentError } from 'commander';
import type { Quantity } from '../../application/fleet/plan-fleet.ts';

export const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It takes a whole number.');
  return Number(text);
};

export const positiveNumber = (text: string): number => {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It takes a whole number from 1.');
  return value;
};

export const quantity = (text: string): Quantity => {
  const [, digits, percent] = /^(\d{1,9})(%?)$/.exec(text) ?? [];
  if (digits === undefined || (percent === '%' && Number(digits) > 100)) {
    throw new InvalidArgumentError('It takes a whole number or a share such as 5%.');
  }
  return percent === '%' ? { percent: Number(digits) } : { count: Number(digits) };
};
