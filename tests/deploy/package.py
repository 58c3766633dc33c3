"""Lays out what `sam build` would, with functions that are built already: `package.py <directory of programs> <directory to write>`.

`sam build` compiles all functions for release and for the C library of AWS, which takes many minutes. Where the stack is deployed on this very
machine, the programs that the tests have just built do as well.
"""

import pathlib
import shutil
import subprocess
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

ROOT = pathlib.Path(__file__).parents[2]


def main(programs, build):
    programs, build = pathlib.Path(programs), pathlib.Path(build)
    shutil.rmtree(build, ignore_errors=True)
    template = yaml_parse((ROOT / "template.yaml").read_text())
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Function":
            bootstrap = build / name / "bootstrap"
            bootstrap.parent.mkdir(parents=True)
            shutil.copy2(programs / pathlib.Path(properties["CodeUri"]).name, bootstrap)
            subprocess.run(["strip", bootstrap], check=True)
            properties["CodeUri"] = name
        elif resource["Type"] == "AWS::CloudFormation::Stack":
            properties["TemplateURL"] = str(ROOT / properties["TemplateURL"])
    (build / "template.yaml").write_text(yaml_dump(template))


if __name__ == "__main__":
    main(*sys.argv[1:])
