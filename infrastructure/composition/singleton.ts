import type { BindWhenOnFluentSyntax, ContainerModuleLoadOptions, ServiceIdentifier } from 'inversify';

type Tokens = Readonly<Record<string, ServiceIdentifier>>;

type Resolved<Names extends Tokens> = {
  readonly [Name in keyof Names]: Names[Name] extends ServiceIdentifier<infer Service> ? Service : never;
};

/**
 * Binds one service for the whole process. Its dependencies come by name, so that two of the same type cannot be swapped
 * in silence.
 *
 * @param tokens what `make` needs, under the names by which `make` calls it
 */
export const bindSingleton = <Service, const Names extends Tokens>(
  bind: ContainerModuleLoadOptions['bind'],
  token: ServiceIdentifier<Service>,
  tokens: Names,
  make: (deps: Resolved<Names>) => Service | Promise<Service>,
): BindWhenOnFluentSyntax<Service> => {
  const names = Object.keys(tokens);
  return (
    bind(token)
      // The container resolves the tokens in their order, which is that of the names.
      .toResolvedValue(
        (...services: unknown[]) =>
          make(Object.fromEntries(names.map((name, index) => [name, services[index]])) as Resolved<Names>),
        Object.values(tokens),
      )
      .inSingletonScope()
  );
};
