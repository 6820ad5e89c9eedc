import type { ServiceIdentifier } from 'inversify';
import type { AdoptDatabase } from '../../application/databases/adopt.ts';
import type { Provisioning } from '../../application/ports/databases/provisioning.ts';
import type { ReconcileDatabases } from '../../application/databases/reconcile.ts';
import type { FinishRetirement, RetireDatabase } from '../../application/databases/retire.ts';
import type { RotateCredentials } from '../../application/databases/rotate-credentials.ts';
import type { FileStore } from '../../application/ports/files/file-store.ts';
import type { HealthCheck } from '../../application/ports/databases/health-check.ts';
import type { ServerLedger } from '../../application/ports/databases/server-ledger.ts';
import type { SpareKeeper } from '../background/spare-keeper.ts';
import type { MetadataConnector } from '../postgres/metadata-connector.ts';
import type { StatementObserver } from '../postgres/connection-options.ts';
import type { ResultsServers } from '../servers/results-servers.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { AuditBacklog } from '../../application/ports/audit/audit-backlog.ts';
import type { AuditChains } from '../../application/ports/audit/audit-chains.ts';
import type { WorkHints } from '../../application/ports/work/work-hints.ts';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { OrganizationTraffic } from '../../application/operators/organization-traffic.ts';
import type { EffectiveSetting } from '../../application/ports/operators/effective-setting.ts';
import type { OperatorsLedger } from '../../application/ports/operators/operators-ledger.ts';
import type { ProcessLedger } from '../../application/ports/operators/process-ledger.ts';
import type { UsageLedger } from '../../application/ports/usage/usage-ledger.ts';
import type { UsageCounter } from '../../application/usage/usage-counter.ts';
import type { ReleaseSchemas } from '../../application/ports/databases/release-schemas.ts';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { LazyTracing } from '../../adapters/opentelemetry/lazy-tracing.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import type { TokenIssuer, TokenReader } from '../../application/ports/identity/tokens.ts';
import type { LoginAttempts } from '../../application/ports/identity/login-attempts.ts';
import type { Passwords } from '../../application/ports/identity/passwords.ts';
import type { UseCases } from '../../application/use-cases.ts';
import type { AccountRepository } from '../../domain/identity/account.ts';
import type { SpareLedger } from '../../application/ports/databases/spare-ledger.ts';
import type { ProvisioningLedger } from '../../application/ports/databases/provisioning-ledger.ts';
import type { SqlDatabase } from '../../adapters/knex/statement.ts';
import type { RunnerSettings } from '../../application/fleet/fleet-ports.ts';
import type { FleetSteering } from '../../application/fleet/steer-over-http.ts';
import type { RunServer } from '../background/run-server.ts';
import type { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import type { FleetChecks } from '../../application/ports/fleet/fleet-checks.ts';
import type { FleetLedger } from '../../application/ports/fleet/fleet-ledger.ts';
import type { PrometheusMetrics } from '../../adapters/prometheus/prometheus-metrics.ts';
import type { HttpDependencies } from '../../presentation/http/http-dependencies.ts';
import type { ProcessBeats } from '../background/process-beats.ts';
import type { ServerSizes } from '../background/server-sizes.ts';
import type { DeploymentGauge } from '../../application/ports/operators/deployment-figures.ts';
import type { WorkFigures } from '../../application/work/work-figures.ts';
import type { ClusterSurvey } from '../background/cluster-survey.ts';
import type { MetadataChangeFeed } from '../changes/metadata-change-feed.ts';
import type { Config } from '../config/config.ts';
import type { CircuitBreaker } from '../pools/circuit-breaker.ts';
import type { ConnectionPool } from '../pools/connection-pool.ts';
import type { DatabaseConnectionManager } from '../routing/database-connection-manager.ts';
import type { ControlConnection } from '../servers/control-connection.ts';
import type { RelayTimes } from '../../application/audit/outbox-traffic.ts';
import type { WriteAnnouncements } from '../../application/audit/write-announcements.ts';
import type { BackgroundRunner } from '../background/background-runner.ts';
import type { OperatorStreams } from '../../application/operators/operator-streams.ts';
import type { EventStreams } from '../../application/events/event-streams.ts';
import type { EventStreamLoop } from '../background/event-stream-loop.ts';
import type { OutboxRelayLoop } from '../background/outbox-relay-loop.ts';
import type { CommandEnds } from './cli-dependencies.ts';
import type { Service } from './service.ts';
import type { CliDependencies } from '../../presentation/cli/run-cli.ts';
import type { PgDatabaseMigrator } from '../fleet/pg-database-migrator.ts';
import type { FleetSnapshot } from '../background/fleet-snapshot.ts';
import type { Stopping } from '../http-server/stopping.ts';
import type { SchemaGuard } from '../routing/schema-guard.ts';
import type { SchemaWindow } from '../migrations/schema-window.ts';
import type { MigrationSource } from '../migrations/migration-source.ts';

const token = <Bound>(name: string): ServiceIdentifier<Bound> => Symbol(name);

/** Everything is a singleton. Grouped as the modules that bind it. */
export const TOKENS = {
  config: token<Config>('Config'),
  settings: token<readonly EffectiveSetting[]>('EffectiveSetting'),
  logger: token<Logger>('Logger'),
  metrics: token<PrometheusMetrics>('PrometheusMetrics'),
  /** Null: nothing is traced. */
  tracing: token<LazyTracing | null>('Tracing'),
  stopping: token<Stopping>('Stopping'),
  fleetSnapshot: token<FleetSnapshot>('FleetSnapshot'),

  /** A UUID: this process among those of the deployment. */
  instanceId: token<string>('instance id'),
  changeFeed: token<MetadataChangeFeed>('MetadataChangeFeed'),
  clusterSurvey: token<ClusterSurvey>('ClusterSurvey'),
  processBeats: token<ProcessBeats>('ProcessBeats'),
  serverSizes: token<ServerSizes>('ServerSizes'),
  organizationPolicies: token<OrganizationPolicies>('OrganizationPolicies'),

  auditBacklog: token<AuditBacklog>('AuditBacklog'),
  auditChains: token<AuditChains>('AuditChains'),
  workHints: token<WorkHints>('WorkHints'),
  relayTimes: token<RelayTimes>('RelayTimes'),
  writeAnnouncements: token<WriteAnnouncements>('WriteAnnouncements'),
  outboxRelay: token<OutboxRelayLoop>('OutboxRelayLoop'),
  eventStreams: token<EventStreams>('EventStreams'),
  operatorStreams: token<OperatorStreams>('OperatorStreams'),
  eventStreamLoop: token<EventStreamLoop>('EventStreamLoop'),

  metadataConnector: token<MetadataConnector>('MetadataConnector'),
  metadataControl: token<ControlConnection>('metadata ControlConnection'),
  metadataBreaker: token<CircuitBreaker>('metadata CircuitBreaker'),
  metadataPool: token<ConnectionPool>('metadata ConnectionPool'),
  metadataSql: token<SqlDatabase>('metadata SqlDatabase'),

  resultsMigrations: token<MigrationSource>('results MigrationSource'),
  /** Sees each statement of administrators' sessions; null: nobody looks. */
  adminStatements: token<StatementObserver | null>('StatementObserver'),
  serverLedger: token<ServerLedger>('ServerLedger'),
  servers: token<ResultsServers>('ResultsServers'),
  connectionManager: token<DatabaseConnectionManager>('DatabaseConnectionManager'),
  databaseHealth: token<HealthCheck>('HealthCheck'),

  provisioning: token<Provisioning>('Provisioning'),
  spareKeeper: token<SpareKeeper>('SpareKeeper'),
  adoptDatabase: token<AdoptDatabase>('AdoptDatabase'),
  retireDatabase: token<RetireDatabase>('RetireDatabase'),
  finishRetirement: token<FinishRetirement>('FinishRetirement'),
  reconcileDatabases: token<ReconcileDatabases>('ReconcileDatabases'),
  rotateCredentials: token<RotateCredentials>('RotateCredentials'),

  schemaWindow: token<() => Promise<SchemaWindow>>('SchemaWindow'),
  schemaGuard: token<SchemaGuard>('SchemaGuard'),
  fleetLedger: token<FleetLedger>('FleetLedger'),
  databaseMigrator: token<PgDatabaseMigrator>('PgDatabaseMigrator'),
  fleetChecks: token<FleetChecks>('FleetChecks'),
  fleetRunnerSettings: token<RunnerSettings>('RunnerSettings'),
  fleetOperator: token<FleetOperator>('FleetOperator'),
  fleetSteering: token<FleetSteering>('FleetSteering'),
  runServer: token<RunServer>('RunServer'),

  operatorsLedger: token<OperatorsLedger>('OperatorsLedger'),
  deploymentGauge: token<DeploymentGauge>('DeploymentGauge'),
  workFigures: token<WorkFigures>('WorkFigures'),
  processLedger: token<ProcessLedger>('ProcessLedger'),
  usageLedger: token<UsageLedger>('UsageLedger'),
  usageCounter: token<UsageCounter>('UsageCounter'),
  organizationTraffic: token<OrganizationTraffic>('OrganizationTraffic'),
  releaseSchemas: token<() => Promise<ReleaseSchemas>>('ReleaseSchemas'),

  metadataDatabase: token<MetadataDatabase>('MetadataDatabase'),
  deployment: token<Deployment>('Deployment'),
  spareLedger: token<SpareLedger>('SpareLedger'),
  databaseLedger: token<DatabaseLedger & ProvisioningLedger>('DatabaseLedger'),

  tokenIssuer: token<TokenIssuer>('TokenIssuer'),
  tokenReader: token<TokenReader>('TokenReader'),
  passwords: token<Passwords>('Passwords'),
  loginAttempts: token<LoginAttempts>('LoginAttempts'),
  accounts: token<AccountRepository>('current AccountRepository'),

  fileStore: token<FileStore>('FileStore'),

  useCases: token<UseCases>('UseCases'),
  httpDependencies: token<HttpDependencies>('HttpDependencies'),

  background: token<BackgroundRunner>('BackgroundRunner'),
  service: token<Service>('Service'),
  cliDependencies: token<(surroundings: CommandEnds) => CliDependencies>('CliDependencies'),
} as const;
