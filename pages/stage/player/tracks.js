// A chart's moving values: which of them a frame shows, and which have changed since the frame shown last.

const getPath = (object, path) => path.split(".").reduce((node, name) => node?.[name], object);

export function setPath(object, path, value) {
  const names = path.split(".");
  const last = names.pop();
  for (const name of names) object = object[name] ??= {};
  object[last] = value;
}

// A function of the frame's index that gives [trace, path, value] of what has changed. Values of a track that grows are
// the beginnings of what the figure holds.
export function makeChanges({ tracks, data }) {
  const whole = tracks.map(({ trace, path, values }) => (values ? null : getPath(data[trace], path)));
  const shown = [];
  return (index) => tracks.flatMap(({ trace, path, at, values }, i) => {
    const now = at[Math.min(index, at.length - 1)];
    if (shown[i] === now) return [];
    shown[i] = now;
    return [[trace, path, values ? values[now] : whole[i].slice(0, now)]];
  });
}
