import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Timeline", css_file="page.css")


@app.cell
def setup():
    import marimo as mo

    from workbench.apps.marimo import open_session, timeline_app

    return mo, open_session, timeline_app


@app.cell
def log(open_session):
    session = open_session()
    return (session,)


@app.cell
def timeline(mo, session, timeline_app):
    timeline_app(session, mo.query_params())


if __name__ == "__main__":
    app.run()
