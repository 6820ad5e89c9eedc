/** All processes that share one metadata database, and the databases that they made. */
export interface Deployment {
  /**
   * UUID. It stands in every database of the deployment, so that another deployment on the server leaves it alone.
   * Never changes: asked once a process.
   */
  id(): Promise<string>;
}
