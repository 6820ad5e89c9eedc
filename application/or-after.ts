/** What `work` resolves to; `instead` when it fails or takes longer. The work goes on all the same. */
export const orAfter = <Value>(ms: number, work: Promise<Value>, instead: Value): Promise<Value> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(instead), ms).unref();
    work.then(resolve, () => resolve(instead)).finally(() => clearTimeout(timer));
  });
