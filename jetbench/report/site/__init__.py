"""The report as a site: values in, files out. Nothing here opens a file of the user's.

Pages are HTML by Jinja, plots are drawn in the browser by Apache ECharts, tables are sorted there
by sortable-tablesort; both come along in `assets`, so that a page loads nothing from elsewhere.
A page's address is made of the name of its thing alone, and stays the same from night to night::

    index.html            the fleet and the models at a glance, what changed, what failed
    sweeps.html           every sweep
    models/NAME.html      a model: bars, layers, history
    boards/NAME.html      a board: its place in the fleet, its conditions, telemetry of a trial
    sweeps/ID.html        a sweep: the table, every verdict with its evidence
    log.html              shows a raw log of logs/SWEEP/BOARD.js
"""
