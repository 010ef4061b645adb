import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Deltas", css_file="page.css")


@app.cell
def setup():
    import marimo as mo

    from workbench.apps.marimo import deltas_app, open_session

    return mo, open_session, deltas_app


@app.cell
def log(open_session):
    session = open_session()
    return (session,)


@app.cell
def deltas(mo, session, deltas_app):
    deltas_app(session, mo.query_params())


if __name__ == "__main__":
    app.run()
