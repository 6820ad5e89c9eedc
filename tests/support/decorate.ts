import type { Container, ServiceIdentifier } from 'inversify';

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

/** Replaces methods of a port of a container, before anything asked for it. Called again, it decorates the decorated. */
export const decorate = <Port extends object>(
  container: Container,
  token: ServiceIdentifier<Port>,
  overridesOf: (port: Port) => Partial<Port>,
): void => {
  container.onActivation(token, (_context, port: Port) => withOverrides(port, overridesOf(port)));
};
