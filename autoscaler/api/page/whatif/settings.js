// What can be tried in a policy, where it stands in the spec, and what it is at present.

const text = (value) => String(value);
const whole = (value) => Number(value);

// A quantile may be written as an integer percent.
const asShare = (value) =>
  typeof value === "number" && Number.isInteger(value) && value > 1 ? String(value / 100) : String(value);

/** In the order of the form. key: in the address. path: in the spec. fallback: what holds where the spec is silent; null: nothing. */
export const SETTINGS = [
  {
    key: "quantile",
    path: ["forecast", "quantile"],
    label: "Quantile",
    help: "Share of peaks to be served: the stated risk, and so the headroom.",
    field: { type: "range", min: 0.5, max: 0.995, step: 0.005 },
    fallback: "0.95",
    read: asShare,
    write: text,
  },
  {
    key: "min",
    path: ["minReplicas"],
    label: "Minimum",
    help: "Least replicas.",
    field: { type: "number", min: 0, step: 1 },
    fallback: 1,
    read: text,
    write: whole,
  },
  {
    key: "max",
    path: ["maxReplicas"],
    label: "Maximum",
    help: "Most replicas.",
    field: { type: "number", min: 1, step: 1 },
    fallback: null,
    read: text,
    write: whole,
  },
  {
    key: "per",
    path: ["load", "perReplica"],
    label: "Load per replica",
    help: "Less than a replica can serve is headroom.",
    field: { type: "text" },
    fallback: null,
    read: text,
    write: text,
  },
  {
    key: "window",
    path: ["behavior", "scaleDown", "stabilizationWindowSeconds"],
    label: "Scale-down window, s",
    help: "How long spare replicas are kept.",
    field: { type: "number", min: 0, max: 3600, step: 1 },
    fallback: 300,
    read: text,
    write: whole,
  },
  {
    key: "down",
    path: ["cooldown", "scaleDown"],
    label: "Scale-down cooldown",
    help: "Wait after any change before removing, such as 5m.",
    field: { type: "text" },
    fallback: "0s",
    read: text,
    write: text,
  },
  {
    key: "up",
    path: ["cooldown", "scaleUp"],
    label: "Scale-up cooldown",
    help: "Wait after adding before adding more.",
    field: { type: "text" },
    fallback: "0s",
    read: text,
    write: text,
  },
  {
    key: "daily",
    path: ["spend", "dailyBudget"],
    label: "Daily budget",
    help: "Empty for none.",
    field: { type: "text", inputmode: "decimal" },
    fallback: null,
    read: text,
    write: text,
  },
  {
    key: "hourly",
    path: ["spend", "hourlyCap"],
    label: "Hourly cap",
    help: "Empty for none.",
    field: { type: "text", inputmode: "decimal" },
    fallback: null,
    read: text,
    write: text,
  },
  {
    key: "price",
    path: ["spend", "replicaHourPrice"],
    label: "Replica hour's price",
    help: "Needed for budgets.",
    field: { type: "text", inputmode: "decimal" },
    fallback: null,
    read: text,
    write: text,
  },
];

const at = (spec, path) => path.reduce((value, name) => value?.[name], spec);

/** What a setting is in `spec`, as the form shows it: a text, empty for nothing. */
export const presentOf = (spec, { path, fallback, read }) => {
  const value = at(spec, path) ?? fallback;
  return value === null || value === undefined ? "" : read(value);
};

const equal = (one, other) => one === other || (one !== "" && other !== "" && Number(one) === Number(other));

/** The settings that the address changes, as `{setting, before, after}`. */
export const changesOf = (spec, params) =>
  SETTINGS.filter(({ key }) => key in params)
    .map((setting) => ({ setting, before: presentOf(spec, setting), after: params[setting.key].trim() }))
    .filter(({ before, after }) => !equal(before, after));

/** A JSON merge patch of the spec that makes these changes; null takes a setting away. */
export const patchOf = (changes) => {
  const patch = {};
  for (const { setting, after } of changes) {
    const names = setting.path.slice(0, -1);
    const inner = names.reduce((part, name) => (part[name] ??= {}), patch);
    inner[setting.path.at(-1)] = after === "" || after === "-" ? null : setting.write(after);
  }
  return patch;
};

/** Parameters of the address for a patch; what it does not name is null, and so is left as it stands. */
export const paramsOf = (patch) =>
  Object.fromEntries(
    SETTINGS.map(({ key, path, read }) => {
      const value = at(patch, path);
      return [key, value === undefined ? null : value === null ? "-" : read(value)];
    }),
  );
