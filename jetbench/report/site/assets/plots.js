/* Draws the plots of a page with ECharts. What each shows stands as JSON in its figure. */
"use strict";
(() => {
  // Okabe and Ito's colours: told apart with any kind of colour vision.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d1f", "#6a51a3"];
  const SYMBOLS = ["circle", "rect", "triangle", "diamond", "roundRect"];
  const DASHES = ["solid", "dashed", "dotted"];
  const STATUS_COLOURS = { ok: "#009e73", suspect: "#e69f00", failed: "#d55e00", lost: "#7a7a7a" };
  const ROOT = document.querySelector('link[rel="stylesheet"]').getAttribute("href").replace("assets/site.css", "");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const charts = [];

  const narrow = () => window.innerWidth < 600;
  const ms = (value) => (value === null || value === undefined ? "-" : `${value} ms`);
  const shorten = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  function base(data, more) {
    const ink = getComputedStyle(document.body).color;
    return {
      backgroundColor: "transparent",
      animation: false,
      color: COLOURS,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
      // Patterns beside colours: for print, and for who sees none.
      aria: { enabled: true, decal: { show: true } },
      tooltip: { renderMode: "richText", confine: true, trigger: "item" },
      legend: { type: "scroll", top: 0, left: 0, right: 0, textStyle: { color: ink } },
      toolbox: {
        show: !narrow(), right: 0, top: 24, itemSize: 14,
        feature: {
          dataZoom: { yAxisIndex: "none", title: { zoom: "zoom", back: "zoom back" } },
          restore: { title: "as it was" },
          saveAsImage: { title: "save as SVG", name: data.title.replace(/[^\w-]+/g, "-") },
        },
      },
      graphic: data.simulated ? [{
        type: "text", left: "center", top: "middle", silent: true, z: 100,
        style: { text: "SIMULATED", fill: ink, opacity: 0.14, font: `bold ${narrow() ? 32 : 56}px sans-serif` },
      }] : [],
      ...more,
    };
  }

  const faint = { splitLine: { lineStyle: { opacity: 0.35 } } };
  const below = (name, more = {}) => ({ name, nameLocation: "middle", nameGap: 28, ...faint, ...more });
  const beside = (name, more = {}) => ({ name, nameLocation: "end", nameGap: 10, nameTextStyle: { align: "center" }, ...faint, ...more });
  const MANY = 24;
  const pencil = document.createElement("canvas").getContext("2d");

  /* How many pixels the longest of some labels takes. */
  function widest(texts, size = 12) {
    pencil.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
    return Math.ceil(Math.max(0, ...texts.map((text) => pencil.measureText(text).width))) + 14;
  }
  const sliders = (axes, more = {}) => [
    { type: "inside", xAxisIndex: axes, filterMode: "none", zoomOnMouseWheel: "ctrl", ...more },
    { type: "slider", xAxisIndex: axes, filterMode: "none", height: 18, bottom: 8, ...more },
  ];

  /* A line from the least to the most, with ends: `at` is the place on the axis of categories. */
  function whisker(points, { horizontal = false, series = 0, of = 1 } = {}) {
    return {
      type: "custom", silent: true, z: 5, data: points, itemStyle: { color: getComputedStyle(document.body).color },
      encode: horizontal ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
      renderItem(_, api) {
        const at = api.value(0);
        const ends = [1, 2].map((one) => api.coord(horizontal ? [api.value(one), at] : [at, api.value(one)]));
        // Bars of several series stand beside each other in the band of their category.
        const band = api.size(horizontal ? [0, 1] : [1, 0])[horizontal ? 1 : 0];
        const shift = horizontal ? 0 : (series - (of - 1) / 2) * (band * 0.8 / of);
        const cap = 4;
        const lines = horizontal
          ? [[ends[0][0], ends[0][1], ends[1][0], ends[1][1]], ...ends.map(([x, y]) => [x, y - cap, x, y + cap])]
          : [[ends[0][0] + shift, ends[0][1], ends[1][0] + shift, ends[1][1]], ...ends.map(([x, y]) => [x + shift - cap, y, x + shift + cap, y])];
        return {
          type: "group",
          children: lines.map(([x1, y1, x2, y2]) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: api.visual("color"), lineWidth: 1.5 } })),
        };
      },
    };
  }

  const kinds = {
    ranges(data) {
      const names = data.bars.map((bar) => `${shorten(bar[0], narrow() ? 16 : 40)}  ${bar[1]}`);
      return {
        height: Math.max(170, 92 + 26 * names.length),
        option: base(data, {
          legend: { show: false },
          grid: { left: widest(names), right: 60, top: 44, bottom: 44 },
          xAxis: below("ms", { type: "value" }),
          yAxis: { type: "category", inverse: true, data: names },
          tooltip: { renderMode: "richText", confine: true, formatter: ({ dataIndex }) => {
            const [name, middle, least, top] = data.bars[dataIndex];
            return `${name}\n${ms(middle)}, boards from ${ms(least)} to ${ms(top)}`;
          } },
          series: [
            { type: "bar", data: data.bars.map((bar) => bar[1]) },
            whisker(data.bars.map((bar, place) => [place, bar[2], bar[3]]), { horizontal: true }),
          ],
        }),
      };
    },

    counts(data) {
      const nights = data.nights.map((night) => night[0]);
      return {
        height: 300,
        open: (event) => event.seriesType === "bar" && data.nights[event.dataIndex][1],
        option: base(data, {
          grid: { left: 8, right: 16, top: 56, bottom: 44, containLabel: true },
          tooltip: { renderMode: "richText", confine: true, trigger: "axis", axisPointer: { type: "shadow" } },
          dataZoom: sliders([0]),
          xAxis: { type: "category", data: nights, axisLabel: { formatter: (text) => text.slice(0, 10) } },
          yAxis: beside("cases", { type: "value", minInterval: 1 }),
          series: data.series.map(([name, values]) => ({ type: "bar", stack: "all", name, data: values, itemStyle: { color: STATUS_COLOURS[name] }, cursor: "pointer" })),
        }),
      };
    },

    bars(data) {
      const of = data.series.length;
      const bars = data.series.map(([name, values], place) => ({
        type: "bar", name, id: `bars-${place}`, barGap: 0, barCategoryGap: "20%", cursor: "pointer",
        data: values.map((one) => one && { value: one[0], itemStyle: one[3] === "suspect" ? { opacity: 0.6 } : {} }),
      }));
      const whiskers = data.series.map(([name, values], series) => ({
        ...whisker(values.flatMap((one, place) => (one ? [[place, one[1], one[2]]] : [])), { series, of }), name,
      }));
      return {
        height: 360,
        open: (event) => event.seriesType === "bar" && data.series[event.seriesIndex][1][event.dataIndex][5],
        option: base(data, {
          grid: { left: 8, right: 16, top: 56, bottom: data.boards.length > MANY ? 60 : 16, containLabel: true },
          dataZoom: data.boards.length > MANY ? sliders([0]) : [],
          tooltip: { renderMode: "richText", confine: true, formatter: (event) => {
            const [name, values] = data.series[event.seriesIndex] || [];
            const one = values && values[event.dataIndex];
            return one ? `${data.boards[event.dataIndex]}, ${name}\n${ms(one[0])}, processes from ${ms(one[1])} to ${ms(one[2])}\n${one[3]}, ${one[4]}` : "";
          } },
          xAxis: { type: "category", data: data.boards, axisLabel: { hideOverlap: true } },
          yAxis: beside("ms", { type: "value" }),
          series: [...bars, ...whiskers],
        }),
      };
    },

    profile(data, choice) {
      const rows = narrow() ? 20 : 40;
      const count = choice.layers.length;
      const names = choice.layers.map((text) => shorten(text, narrow() ? 14 : 28));
      return {
        height: 90 + 17 * Math.min(count, rows),
        option: base(data, {
          grid: { left: widest(names, 10), right: 40, top: 48, bottom: 44 },
          dataZoom: count > rows ? [
            { type: "slider", yAxisIndex: 0, right: 4, width: 18, startValue: 0, endValue: rows - 1, filterMode: "empty", showDataShadow: false, showDetail: false },
            { type: "inside", yAxisIndex: 0, startValue: 0, endValue: rows - 1, zoomOnMouseWheel: "ctrl", filterMode: "empty" },
          ] : [],
          tooltip: { renderMode: "richText", confine: true, trigger: "axis", axisPointer: { type: "shadow" }, formatter: ([{ dataIndex: place }]) => {
            const [time, bound] = [choice.ms[place], choice.bounds[place]];
            const times = time && bound ? `, ${(time / bound).toFixed(1)} times the bound` : "";
            const against = data.bounded ? `\nbound ${ms(bound)}${times}` : "";
            return `${choice.layers[place]} (${choice.types[place] || "?"})\n${ms(time)}${against}`;
          } },
          xAxis: below("ms", { type: "value" }),
          yAxis: { type: "category", inverse: true, data: names, axisLabel: { interval: 0, fontSize: 10 } },
          series: [
            { type: "bar", name: "measured", data: choice.ms, barCategoryGap: "15%" },
            ...(data.bounded ? [{ type: "scatter", name: "bound", data: choice.bounds, symbol: "rect", symbolSize: [3, 13], itemStyle: { color: COLOURS[1] }, z: 5 }] : []),
          ],
        }),
      };
    },

    history(data) {
      const few = data.series.length <= 6;
      const series = data.series.map((one, place) => {
        const colour = COLOURS[place % COLOURS.length];
        return {
          type: "line", name: one.name, symbol: SYMBOLS[place % SYMBOLS.length], symbolSize: 5, showAllSymbol: "auto", cursor: "pointer",
          lineStyle: { width: 1.5, type: DASHES[Math.floor(place / COLOURS.length) % DASHES.length] },
          itemStyle: { color: colour },
          emphasis: { focus: "series" },
          endLabel: { show: few && !narrow(), formatter: "{a}", color: "inherit" },
          labelLayout: { hideOverlap: true },
          data: one.values.map(([at, value, status]) => (status === "ok" ? [at, value] : { value: [at, value], symbolSize: 8, itemStyle: { color: "transparent", borderColor: colour, borderWidth: 2 } })),
          markLine: {
            silent: true, symbol: "none", animation: false,
            lineStyle: { type: "dashed", width: 1, color: colour },
            label: { formatter: ({ data: step }) => step.words, position: "insideEndTop", color: "inherit", fontSize: 10 },
            data: one.steps.map(([at, change]) => ({ xAxis: at, words: `${few ? "" : `${one.name} `}${change > 0 ? "▲ +" : "▼ "}${change} %` })),
          },
        };
      });
      return {
        height: 400,
        open: (event) => event.componentType === "series" && data.nights[event.value[0]][1],
        option: base(data, {
          grid: { left: 8, right: few && !narrow() ? 90 : 16, top: 56, bottom: 60, containLabel: true },
          dataZoom: sliders([0]),
          tooltip: { renderMode: "richText", confine: true, formatter: ({ seriesName, value }) => `${seriesName}, ${data.nights[value[0]][0]}\n${ms(value[1])}` },
          xAxis: { type: "category", data: data.nights.map((night) => night[0]), axisLabel: { formatter: (text) => text.slice(0, 10), hideOverlap: true } },
          yAxis: beside("ms", { type: "value", scale: true }),
          series,
        }),
      };
    },

    place(data) {
      const bars = data.bars;
      const names = bars.map((bar) => shorten(bar[0], narrow() ? 18 : 40));
      return {
        height: Math.max(170, 92 + 24 * bars.length),
        option: base(data, {
          legend: { show: false },
          grid: { left: widest(names), right: 60, top: 44, bottom: 44 },
          xAxis: below("% from the middle of the fleet", { type: "value", min: ({ min, max }) => Math.floor(Math.min(-2, min - 0.15 * (max - min))), max: ({ min, max }) => Math.ceil(Math.max(2, max + 0.15 * (max - min))) }),
          yAxis: { type: "category", inverse: true, data: names, axisLine: { onZero: false } },
          tooltip: { renderMode: "richText", confine: true, formatter: ({ name, value }) => `${name}\n${value > 0 ? "+" : ""}${value} %` },
          series: [{ type: "bar", data: bars.map((bar) => bar[1]), label: { show: true, position: "outside", formatter: ({ value }) => `${value > 0 ? "+" : ""}${value} %`, color: getComputedStyle(document.body).color } }],
        }),
      };
    },

    lines(data) {
      return grids(data, data.grids, {
        height: 480,
        xAxis: { type: "category", data: data.nights.map((night) => night[0]), axisLabel: { formatter: (text) => text.slice(0, 10), hideOverlap: true } },
        open: (event) => event.componentType === "series" && data.nights[event.dataIndex][1],
      });
    },

    telemetry(data, choice) {
      const shown = choice.grids.map((grid) => ({
        ...grid, series: grid.series.map(([name, values]) => [name, values.map((value, place) => [choice.seconds[place], value])]),
      }));
      return grids(data, shown, {
        height: 560,
        xAxis: { type: "value", min: "dataMin", max: "dataMax", axisLabel: { formatter: "{value} s" }, splitLine: { show: false } },
        window: choice.window,
      });
    },
  };

  /* Grids below each other with one axis of time: units do not mix. */
  function grids(data, shown, { height, xAxis, open, window: stretch }) {
    const used = shown.filter((grid) => grid.series.some(([, values]) => values.some((value) => (Array.isArray(value) ? value[1] : value) !== null)));
    const top = 60;
    const room = (height - top - 56) / Math.max(used.length, 1);
    const all = used.map((_, place) => place);
    let number = 0;
    return {
      height, open,
      option: base(data, {
        grid: all.map((place) => ({ left: 64, right: 16, top: top + place * room, height: room - 34 })),
        tooltip: { renderMode: "richText", confine: true, trigger: "axis" },
        axisPointer: { link: [{ xAxisIndex: "all" }] },
        dataZoom: sliders(all),
        xAxis: all.map((place) => ({ ...xAxis, gridIndex: place, axisLabel: { ...xAxis.axisLabel, show: place === used.length - 1 } })),
        yAxis: used.map((grid, place) => beside(grid.unit, { type: "value", scale: true, gridIndex: place, splitNumber: 3 })),
        series: used.flatMap((grid, place) => grid.series.map(([name, values], inside) => ({
          type: "line", name, data: values, xAxisIndex: place, yAxisIndex: place, connectNulls: false, cursor: open ? "pointer" : "default",
          symbol: SYMBOLS[number++ % SYMBOLS.length], symbolSize: 4, showAllSymbol: "auto",
          lineStyle: { width: 1.5, type: DASHES[inside % DASHES.length] }, emphasis: { focus: "series" },
          markArea: stretch && inside === 0 ? { silent: true, itemStyle: { color: "rgba(128,128,128,0.15)" }, data: [[{ xAxis: stretch[0] }, { xAxis: stretch[1] }]] } : undefined,
        }))),
      }),
    };
  }

  function draw(figure) {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const canvas = figure.querySelector(".canvas");
    const select = chooser(figure, data);
    let chart = null;
    const render = () => {
      const { option, height, open } = kinds[data.kind](data, select ? data.choices[select.value] : undefined);
      canvas.style.height = `${height}px`;
      if (chart) chart.dispose();
      chart = echarts.init(canvas, dark.matches ? "dark" : null, { renderer: "svg" });
      chart.setOption(option);
      // ECharts describes the plot at length; its name is shorter, and true.
      canvas.setAttribute("aria-label", `${data.title}${data.simulated ? " (simulated)" : ""}`);
      if (open) chart.on("click", (event) => { const path = open(event); if (path) window.location.href = ROOT + path; });
      figure.dataset.drawn = "yes";
    };
    if (select) select.addEventListener("change", render);
    render();
    charts.push({ render, resize: () => chart.resize() });
  }

  function chooser(figure, data) {
    if (!data.choices || data.choices.length < 2) return data.choices ? { value: 0, addEventListener() {} } : null;
    const label = document.createElement("label");
    const select = document.createElement("select");
    data.choices.forEach((choice, place) => select.add(new Option(choice.label, place)));
    label.append("Show ", select);
    figure.querySelector(".choice").append(label);
    return select;
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("figure.plot").forEach(draw));
  dark.addEventListener("change", () => charts.forEach((chart) => chart.render()));
  let wasNarrow = narrow();
  window.addEventListener("resize", () => {
    const changed = wasNarrow !== narrow();
    wasNarrow = narrow();
    charts.forEach((chart) => (changed ? chart.render() : chart.resize()));
  });
  window.addEventListener("beforeprint", () => charts.forEach((chart) => chart.resize()));
})();
