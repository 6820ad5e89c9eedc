import { findFreePort } from '../../infrastructure/local/embedded-postgres/free-port.ts';
import { startHttpProcess, type HttpProcess } from './http-process.ts';

/** The service as a process that is restarted on its port. */
export class RollingProcess {
  readonly url: string;
  readonly #start: () => Promise<HttpProcess>;
  #running: HttpProcess;

  private constructor(url: string, start: () => Promise<HttpProcess>, running: HttpProcess) {
    this.url = url;
    this.#start = start;
    this.#running = running;
  }

  /**
   * Resolves when it listens. Call `dispose` at the end.
   *
   * @param command as of `startHttpProcess`
   */
  static async start(
    environment: Readonly<Record<string, string>>,
    command: readonly string[] | null = null,
  ): Promise<RollingProcess> {
    const given = { ...environment, LOG_LEVEL: 'info', PORT: String(await findFreePort(undefined)) };
    const start = (): Promise<HttpProcess> => startHttpProcess(given, command);
    const running = await start();
    try {
      return new RollingProcess(await running.listening(), start, running);
    } catch (error) {
      await running.dispose();
      throw error;
    }
  }

  /** As an operator does it: SIGTERM, wait for its end, start it, wait until it listens. */
  async restart(): Promise<void> {
    this.#running.kill('SIGTERM');
    const { code } = await this.#running.exited;
    if (code !== 0) throw new Error(`the process ended with ${code}:\n${this.#running.stdout()}`);
    await this.#running.dispose();
    this.#running = await this.#start();
    await this.#running.listening();
  }

  dispose(): Promise<void> {
    return this.#running.dispose();
  }
}
