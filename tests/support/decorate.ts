import type { Container, ServiceIdentifier } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';

/** A port with some of its methods replaced; the others are those of `port`. Leaves `port` itself alone. */
export const withOverrides = <Port extends object>(port: Port, overrides: Partial<Port>): Port =>
  new Proxy(port, {
    get: (target, key) => {
      if (Reflect.has(overrides, key)) return Reflect.get(overrides, key);
      const value: unknown = Reflect.get(target, key, target);
      // Methods of classes with private fields need the object itself.
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

/** What containers have made so far. */
const made = new WeakMap<Container, Set<ServiceIdentifier>>();

/** Has `replaceMade` fail when it comes too late, and would change nothing. */
export const watchMaking = (container: Container): Container => {
  const tokens = new Set<ServiceIdentifier>();
  made.set(container, tokens);
  for (const token of Object.values<ServiceIdentifier>(TOKENS)) {
    container.onActivation(token, (_context, service) => {
      tokens.add(token);
      return service;
    });
  }
  return container;
};

/** Puts something in the place of what a container makes. Called again, it replaces the replacement. */
export const replaceMade = <Service>(
  container: Container,
  token: ServiceIdentifier<Service>,
  replace: (service: Service) => Service,
): void => {
  if (made.get(container)?.has(token) === true)
    throw new Error(`${String(token)} was asked for before it was decorated`);
  container.onActivation(token, (_context, service: Service) => replace(service));
};

/** Replaces methods of a port of a container, before anything asked for it. Called again, it decorates the decorated. */
export const decorate = <Port extends object>(
  container: Container,
  token: ServiceIdentifier<Port>,
  overridesOf: (port: Port) => Partial<Port>,
): void => {
  replaceMade(container, token, (port) => withOverrides(port, overridesOf(port)));
};
