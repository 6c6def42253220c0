// Plotly, which is large, fetched when the first chart is to be drawn.

let wanted = null;

const fetched = () =>
  new Promise((resolve, reject) => {
    const { head } = document;
    const script = document.createElement("script");
    script.src = document.querySelector('meta[name="plotly"]').content;
    head.append(script);
    // As it loads it puts the styles of its maps into the page, which the page's policy refuses, and loudly. There
    // are no maps here.
    head.appendChild = (node) =>
      node.tagName === "STYLE" ? node : Node.prototype.appendChild.call(head, node);
    const settle = (done) => () => {
      delete head.appendChild;
      done();
    };
    script.addEventListener(
      "load",
      settle(() => resolve(window.Plotly)),
    );
    script.addEventListener(
      "error",
      settle(() => {
        wanted = null;
        reject(new Error("The code that draws charts cannot be loaded."));
      }),
    );
  });

/** Resolves to Plotly. */
export const plotly = () => (wanted ??= fetched());
