// What the caller may do.

import { get } from "./api.js";

let asked = null;

/** Who is calling; asked once. Rejects as `get` does. */
export const whoAmI = () =>
  (asked ??= get("/whoami").catch((problem) => {
    asked = null;
    throw problem;
  }));

/** Whether the caller may change workloads of a namespace; no where that cannot be found out. */
export const mayWrite = async (namespace) => {
  try {
    const { may } = await whoAmI();
    return may.write.includes("*") || may.write.includes(namespace);
  } catch {
    return false;
  }
};
